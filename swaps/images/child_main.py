"""The child process in which a large photo is opened: ``python -m swaps.images.child_main``.

It has no secrets in its environment, little memory and little time (``isolation``, docs/adr/0017).
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
    parent, max_pixels, memory = map(int, sys.argv[1:4])
    seconds = float(sys.argv[4])
    die_with_parent(parent)
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # meant for the site: it waits for what is at work
    _limit_all(max_pixels, memory, seconds)
    files: tuple[bytes, ...] = ()
    try:
        photo = reencode(sys.stdin.buffer.read(), max_pixels=max_pixels)
    except MemoryError:
        said = _said(no_memory())
    except ImageRefused as refusal:
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


def _said(refusal: ImageRefused) -> dict[str, Any]:
    return {"code": refusal.code, "message": refusal.message}


def _limit_all(max_pixels: int, memory: int, seconds: float) -> None:
    _limit(resource.RLIMIT_CORE, 0)  # a photo is not for a dump
    _limit(resource.RLIMIT_CPU, math.ceil(seconds), spare=5)  # at the end of that it is SIGKILL
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
