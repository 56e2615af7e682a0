"""Large photos are opened in a short-lived child process (docs/adr/0017).

The upload is its standard input. Its standard output is a file: a line of JSON, then the picture
and its thumbnail. What the decoder takes goes back to the system with it, and what kills it is
this photo's end and nobody else's.
"""

import contextlib
import errno
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, BinaryIO, get_args

from swaps import images
from swaps.supervisor import die_with_parent

log = logging.getLogger(__name__)

SECONDS = 60.0  # the slowest photo within the limits takes a tenth
MEMORY_BESIDE = 40_000_000  # the child's own, with Python and Pillow
MOST_AT_ONCE = 2  # in each process: that many times the memory below, and the cores of a small one
# Address space. The hungriest photo within the limits, a WebP, takes 16 bytes a pixel (measured:
# docs/images.md), and up to three copies of its file. A quarter is added, and Python with Pillow.
_BYTES_A_PIXEL = 20
_COPIES_OF_FILE = 3
_BYTES_BESIDE = 150_000_000
_MOST_ANSWER = 2_000  # of JSON
_MOST_THUMBNAIL = 2_000_000
_NONSENSE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(MemoryError, RecursionError),
)
_ROOT = Path(__file__).resolve().parent.parent
# All else of the environment stays here: passwords, keys, and what turns Python's switches.
_ENVIRONMENT = ("TMPDIR", "LD_LIBRARY_PATH")

_places = threading.BoundedSemaphore(MOST_AT_ONCE)


# --- The parent's side ----------------------------------------------------------------------------


def as_file(upload: BinaryIO, begin: int, data: bytes) -> IO[bytes]:
    """A file at the position where ``data`` begins: the upload's own, if it is on disk already."""
    with contextlib.suppress(OSError):  # BytesIO has no descriptor
        if os.fstat(upload.fileno()).st_size == begin + len(data):
            file = os.fdopen(os.dup(upload.fileno()), "rb")
            file.seek(begin)
            return file
    copy = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
    copy.write(data)
    copy.seek(0)
    return copy


def accept(file: IO[bytes], *, max_pixels: int, most_stored: int) -> images.Photo:
    """As ``images.accept_here``, of the rest of the file."""
    from swaps import room  # knows Django, which the child need not load

    memory = (
        _BYTES_BESIDE
        + _COPIES_OF_FILE * os.fstat(file.fileno()).st_size
        + _BYTES_A_PIXEL * min(max_pixels, images.MOST_PIXELS)
    )
    with tempfile.TemporaryFile() as answer:
        with room.stepping_aside(), _places:
            code = _run(file, answer, max_pixels, memory)
        if code == errno.ENOSPC:
            raise OSError(errno.ENOSPC, "There is no room for the child's answer.")
        if code > 0:  # it found an error of its own, which stands in the log
            raise ChildProcessError(f"swaps.image_child ended with {code}")
        if code < 0:
            log.warning("a photo was refused: signal %d ended its child", -code)
            raise _refusal(-code)
        answer.seek(0)
        return _read(answer, most_stored)


def _run(file: IO[bytes], answer: IO[bytes], *limits: int) -> int:
    """The child's exit code; that of a signal is negative, and of a time-out that of SIGXCPU."""
    command = (sys.executable, "-E", "-s", "-m", "swaps.image_child", os.getpid(), *limits)
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    begun = time.monotonic()
    with subprocess.Popen(
        [str(word) for word in command],
        cwd=_ROOT,
        env=environment | {"MALLOC_ARENA_MAX": "1"},  # others take address space for nothing
        stdin=file,
        stdout=answer,
    ) as child:
        # wait(timeout=…) would look every 50 ms, which is as long as the work of many a photo.
        killer = threading.Timer(SECONDS, child.kill)
        killer.start()
        try:
            code = child.wait()
        finally:
            killer.cancel()
            child.kill()
    is_late = time.monotonic() - begun >= SECONDS
    return -signal.SIGXCPU if is_late and code == -signal.SIGKILL else code


def _refusal(signum: int) -> images.ImageRefused:
    if signum == signal.SIGXCPU:
        return images.ImageRefused(
            "too_slow",
            f"It took more than {SECONDS:.0f} seconds to open. Make it smaller and try again.",
        )
    # Nobody else sends SIGKILL than a system without memory.
    return images.no_memory() if signum == signal.SIGKILL else images.broken()


def _read(answer: IO[bytes], most_stored: int) -> images.Photo:
    """What it says is not believed: a decoder that was taken over would say anything."""
    try:
        said: dict[str, Any] = json.loads(answer.readline(_MOST_ANSWER))
        if said.get("code") in get_args(images.Code):
            raise images.ImageRefused(said["code"], str(said["message"]))
        size = int(said["bytes"])
        images.check_stored(size, most_stored)
        data, thumbnail = answer.read(max(0, size)), answer.read(_MOST_THUMBNAIL)
        if not thumbnail:
            raise ValueError
        return images.Photo(
            data=data,
            content_type=said["content_type"],
            extension=images.EXTENSIONS[said["content_type"]],
            width=int(said["width"]),
            height=int(said["height"]),
            thumbnail=thumbnail,
        )
    except _NONSENSE:
        log.warning("a photo was refused: its child said nothing that makes sense")
        raise images.broken() from None


# --- The child's side -----------------------------------------------------------------------------


def main() -> None:
    parent, max_pixels, memory = map(int, sys.argv[1:])
    die_with_parent(parent)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # meant for the site: it waits for what is at work
    _limit_all(max_pixels, memory)
    files: tuple[bytes, ...] = ()
    try:
        photo = images.accept_here(sys.stdin.buffer.read(), max_pixels=max_pixels)
    except MemoryError:
        said = _said(images.no_memory())
    except images.ImageRefused as refusal:
        said = _said(refusal)
    else:
        files = (photo.data, photo.thumbnail)
        said = {
            "bytes": len(photo.data),
            "content_type": photo.content_type,
            "width": photo.width,
            "height": photo.height,
        }
    try:
        sys.stdout.buffer.writelines((json.dumps(said).encode(), b"\n", *files))
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os._exit(errno.ENOSPC)  # an orderly end would try to write it once more


def _said(refusal: images.ImageRefused) -> dict[str, Any]:
    return {"code": refusal.code, "message": refusal.message}


def _limit_all(max_pixels: int, memory: int) -> None:
    _limit(resource.RLIMIT_CORE, 0)  # a photo is not for a dump
    _limit(resource.RLIMIT_CPU, round(SECONDS), spare=5)  # at the end of that it is SIGKILL
    _limit(resource.RLIMIT_FSIZE, 4 * max_pixels + 10_000_000)  # PNG of noise is no smaller
    _limit(resource.RLIMIT_AS, memory)
    with contextlib.suppress(OSError):  # Linux: when memory runs out, this one rather than the site
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _limit(kind: int, most: int, spare: int = 0) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY:
        hard = most + spare
    with contextlib.suppress(ValueError, OSError):  # macOS has some of them in name only
        resource.setrlimit(kind, (min(most, hard), min(most + spare, hard)))


if __name__ == "__main__":
    main()
