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
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, BinaryIO, get_args

from swaps.images.examine import MAX_PIXELS
from swaps.images.reencode import check_stored
from swaps.images.refusals import broken, no_memory
from swaps.images.types import EXTENSIONS, Code, ImageRefused, Photo

log = logging.getLogger(__name__)

SECONDS = 60.0  # the slowest photo within the limits takes a tenth
MEMORY_BESIDE = 40_000_000  # the child's own, with Python and Pillow
MAX_AT_ONCE = 2  # in each process: that many times the memory below, and the cores of a small one
# Address space. The hungriest photo within the limits, a WebP, takes 16 bytes a pixel (measured:
# docs/images.md), and up to three copies of its file. A quarter is added, and Python with Pillow.
_BYTES_A_PIXEL = 20
_COPIES_OF_FILE = 3
_BYTES_BESIDE = 150_000_000
_MAX_ANSWER_BYTES = 2_000  # of JSON
_MAX_THUMBNAIL_BYTES = 2_000_000
_NONSENSE = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(MemoryError, RecursionError),
)
_ROOT = Path(__file__).resolve().parent.parent.parent
# All else of the environment stays here: passwords, keys, and what turns Python's switches.
_ENVIRONMENT = ("TMPDIR", "LD_LIBRARY_PATH")

_places = threading.BoundedSemaphore(MAX_AT_ONCE)


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


def accept(file: IO[bytes], *, max_pixels: int, max_stored: int, seconds: float = SECONDS) -> Photo:
    """As ``reencode``, of the rest of the file."""
    from swaps.runtime import request_slots  # knows Django, which the child need not load

    memory = (
        _BYTES_BESIDE
        + _COPIES_OF_FILE * os.fstat(file.fileno()).st_size
        + _BYTES_A_PIXEL * min(max_pixels, MAX_PIXELS)
    )
    with tempfile.TemporaryFile() as answer:
        with request_slots.released_slot(), _places:
            code = _run(file, answer, seconds, max_pixels, memory)
        if code == errno.ENOSPC:
            raise OSError(errno.ENOSPC, "There is no room for the child's answer.")
        if code > 0:  # it found an error of its own, which stands in the log
            raise ChildProcessError(f"swaps.images.child_main ended with {code}")
        if code < 0:
            log.warning("a photo was refused: signal %d ended its child", -code)
            raise _refusal(-code, seconds)
        answer.seek(0)
        return _read(answer, max_stored)


def _run(file: IO[bytes], answer: IO[bytes], seconds: float, max_pixels: int, memory: int) -> int:
    """The child's exit code; that of a signal is negative, and of a time-out that of SIGXCPU."""
    command = (sys.executable, "-E", "-s", "-m", "swaps.images.child_main", os.getpid())
    limits = (max_pixels, memory, seconds)
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    begun = time.monotonic()
    with subprocess.Popen(
        [str(word) for word in (*command, *limits)],
        cwd=_ROOT,
        env=environment | {"MALLOC_ARENA_MAX": "1"},  # others take address space for nothing
        stdin=file,
        stdout=answer,
    ) as child:
        # wait(timeout=…) would look every 50 ms, which is as long as the work of many a photo.
        killer = threading.Timer(seconds, child.kill)
        killer.start()
        try:
            code = child.wait()
        finally:
            killer.cancel()
            child.kill()
    is_late = time.monotonic() - begun >= seconds
    return -signal.SIGXCPU if is_late and code == -signal.SIGKILL else code


def _refusal(signum: int, seconds: float) -> ImageRefused:
    if signum == signal.SIGXCPU:
        return ImageRefused(
            "too_slow",
            f"It took more than {seconds:.0f} seconds to open. Make it smaller and try again.",
        )
    # Nobody else sends SIGKILL than a system without memory.
    return no_memory() if signum == signal.SIGKILL else broken()


def _read(answer: IO[bytes], max_stored: int) -> Photo:
    """What it says is not believed: a decoder that was taken over would say anything."""
    try:
        said: dict[str, Any] = json.loads(answer.readline(_MAX_ANSWER_BYTES))
        if said.get("code") in get_args(Code):
            raise ImageRefused(said["code"], str(said["message"]))
        size = int(said["bytes"])
        check_stored(size, max_stored)
        data, thumbnail = answer.read(max(0, size)), answer.read(_MAX_THUMBNAIL_BYTES)
        if not thumbnail:
            raise ValueError
        return Photo(
            data=data,
            content_type=said["content_type"],
            extension=EXTENSIONS[said["content_type"]],
            width=int(said["width"]),
            height=int(said["height"]),
            thumbnail=thumbnail,
        )
    except _NONSENSE:
        log.warning("a photo was refused: its child said nothing that makes sense")
        raise broken() from None
