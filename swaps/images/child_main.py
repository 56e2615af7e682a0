"""The child process that decodes a large photo: ``python -m swaps.images.child_main``.

Its environment holds no secrets, and its memory and time are limited (``isolation``,
docs/adr/0017).
"""

import contextlib
import errno
import json
import math
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from swaps.images.reencode import reencode
from swaps.images.refusals import no_memory
from swaps.images.types import ImageRefused
from swaps.runtime.parent_death import die_with_parent


def main() -> None:
    """Re-encode the photo on stdin, and write a line of JSON, the photo and its small copies."""
    parent, max_pixels, memory = map(int, sys.argv[1:4])
    seconds = float(sys.argv[4])
    die_with_parent(parent)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # They are sent to the whole group, and the site waits for its children.
        signal.signal(signum, signal.SIG_IGN)
    _limit_all(max_pixels, memory, seconds)
    header: dict[str, Any]
    files: tuple[bytes, ...] = ()
    try:
        photo = reencode(sys.stdin.buffer.read(), max_pixels=max_pixels)
    except MemoryError:
        header = {"refused": no_memory().explanation}
    except ImageRefused as refusal:
        header = {"refused": refusal.explanation}
    else:
        files = (photo.data, *photo.copies.values())
        header = {
            "bytes": len(photo.data),
            "copies": {side: len(copy) for side, copy in photo.copies.items()},
            "content_type": photo.content_type,
            "width": photo.width,
            "height": photo.height,
        }
    try:
        sys.stdout.buffer.writelines((json.dumps(header).encode(), b"\n", *files))
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        os._exit(errno.ENOSPC)  # a normal exit would flush stdout again and fail


def _limit_all(max_pixels: int, memory: int, seconds: float) -> None:
    """Limit memory, CPU time and output size of this process, and disable core dumps."""
    _limit(resource.RLIMIT_CORE, 0)  # photos must not end up in core dumps
    _limit(resource.RLIMIT_CPU, math.ceil(seconds), spare=5)  # SIGXCPU, and SIGKILL after ``spare``
    _limit(resource.RLIMIT_FSIZE, 4 * max_pixels + 10_000_000)  # PNG of noise: 4 bytes a pixel
    _limit(resource.RLIMIT_AS, memory)
    with contextlib.suppress(OSError):  # Linux: the OOM killer takes this one first
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _limit(kind: int, limit: int, spare: int = 0) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY:
        hard = limit + spare
    with contextlib.suppress(ValueError, OSError):  # macOS does not support all of them
        resource.setrlimit(kind, (min(limit, hard), min(limit + spare, hard)))


if __name__ == "__main__":
    main()
