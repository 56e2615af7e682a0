"""Decodes large photos in a short-lived child process (docs/adr/0017).

The child reads the upload from stdin, and writes a line of JSON, the picture and its small
copies to a file. Its memory returns to the system when it ends, and a crash costs one photo only.
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
from typing import IO, Any, BinaryIO

from swaps.images.examine import MAX_PIXELS
from swaps.images.reencode import check_stored
from swaps.images.refusals import broken, no_memory
from swaps.images.types import EXTENSIONS, ImageRefused, Photo
from swaps.messages import TEXTS
from swaps.sizes import SIDES

log = logging.getLogger(__name__)

SECONDS = 60.0  # the slowest photo within the limits takes a tenth of this
CHILD_OVERHEAD_BYTES = 60_000_000  # of Python and Pillow in the child, and of the small copies
MAX_AT_ONCE = 2  # children of each process: limits memory, and suits two cores
# Address space. The hungriest photo within the limits, a WebP, takes 16 bytes a pixel (measured:
# docs/images.md), and up to three copies of its file. A quarter is added, and Python with Pillow.
_BYTES_A_PIXEL = 20
_COPIES_OF_FILE = 3
_OVERHEAD_BYTES = 150_000_000
_MAX_HEADER_BYTES = 2_000  # of JSON
_MAX_COPY_BYTES = 5_000_000
_PARSE_ERRORS = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(MemoryError, RecursionError),
)
# What a photo can be refused for: the beginnings of codes in ``messages.TEXTS``.
_KINDS = {
    *("animated", "broken", "empty", "not_an_image", "too_many_bytes", "too_many_pixels"),
    *("too_slow", "unsupported_type"),
}
_ROOT = Path(__file__).resolve().parent.parent.parent
# Nothing else of the environment is passed on: it holds passwords, keys and PYTHON… options.
_ENVIRONMENT = ("TMPDIR", "LD_LIBRARY_PATH")

_running = threading.BoundedSemaphore(MAX_AT_ONCE)


def as_file(upload: BinaryIO, begin: int, data: bytes) -> IO[bytes]:
    """Return a file positioned where ``data`` begins.

    The upload's own, if that is on disk already.
    """
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
    """Re-encode the rest of the file in a child process; raises ``ImageRefused`` like ``reencode``.

    A child that ends with an error of its own is a ``ChildProcessError``, a full disk an
    ``OSError``.
    """
    from swaps.runtime import request_slots  # imports Django, which the child need not load

    memory = (
        _OVERHEAD_BYTES
        + _COPIES_OF_FILE * os.fstat(file.fileno()).st_size
        + _BYTES_A_PIXEL * min(max_pixels, MAX_PIXELS)
    )
    with tempfile.TemporaryFile() as output:
        with request_slots.released_slot(), _running:
            code = _run_child(file, output, seconds, max_pixels, memory)
        if code == errno.ENOSPC:
            raise OSError(errno.ENOSPC, "There is no room for the child's answer.")
        if code > 0:  # an unexpected exception, which is in the log
            raise ChildProcessError(f"swaps.images.child_main ended with {code}")
        if code < 0:
            log.warning("a photo was refused: signal %d ended its child", -code)
            raise _refusal_after_signal(-code, seconds)
        output.seek(0)
        return _read_photo(output, max_stored)


def _run_child(
    file: IO[bytes], output: IO[bytes], seconds: float, max_pixels: int, memory: int
) -> int:
    """Return the child's exit code: negative for a signal, -SIGXCPU for a timeout."""
    command = (sys.executable, "-E", "-s", "-m", "swaps.images.child_main", os.getpid())
    limits = (max_pixels, memory, seconds)
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    begun = time.monotonic()
    with subprocess.Popen(
        [str(word) for word in (*command, *limits)],
        cwd=_ROOT,
        env=environment | {"MALLOC_ARENA_MAX": "1"},  # further arenas waste address space
        stdin=file,
        stdout=output,
    ) as child:
        # wait(timeout=…) polls every 50 ms, which is as long as many photos take.
        killer = threading.Timer(seconds, child.kill)
        killer.start()
        try:
            code = child.wait()
        finally:
            killer.cancel()
            child.kill()
    is_late = time.monotonic() - begun >= seconds
    return -signal.SIGXCPU if is_late and code == -signal.SIGKILL else code


def _refusal_after_signal(signum: int, seconds: float) -> ImageRefused:
    """Return the refusal for a child that was killed by this signal."""
    if signum == signal.SIGXCPU:
        return ImageRefused("too_slow.file", seconds=seconds)
    # Only the kernel's OOM killer sends SIGKILL.
    return no_memory() if signum == signal.SIGKILL else broken()


def _read_photo(output: IO[bytes], max_stored: int) -> Photo:
    """Parse the child's output without trusting it: a decoder may have been exploited."""
    try:
        header: dict[str, Any] = json.loads(output.readline(_MAX_HEADER_BYTES))
        if "refused" in header:
            raise _parse_refusal(header["refused"])
        size = int(header["bytes"])
        check_stored(size, max_stored)
        data = output.read(max(0, size))
        copies = {int(side): _read_copy(output, size) for side, size in header["copies"].items()}
        return Photo(
            data=data,
            content_type=header["content_type"],
            extension=EXTENSIONS[header["content_type"]],
            width=int(header["width"]),
            height=int(header["height"]),
            copies={side: copies[side] for side in SIDES},
        )
    except _PARSE_ERRORS:
        log.warning("a photo was refused: its child said nothing that makes sense")
        raise broken() from None


def _read_copy(output: IO[bytes], size: int) -> bytes:
    if not 0 < size <= _MAX_COPY_BYTES or len(data := output.read(size)) < size:
        raise ValueError
    return data


def _parse_refusal(explanation: dict[str, Any]) -> ImageRefused:
    """Return the child's refusal.

    Raises one of ``_PARSE_ERRORS`` for what no child of ours writes.
    """
    refusal = ImageRefused.explained(explanation)
    is_plain = all(isinstance(value, int | float | str) for value in explanation.values())
    if refusal.code not in _KINDS or not is_plain:
        raise ValueError
    TEXTS[explanation["code"]].format(**explanation)
    return refusal
