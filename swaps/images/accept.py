"""Accepts uploaded photos: checks and re-encodes them. The rules are in docs/images.md.

Web processes import it: Pillow only, no Django (limits are arguments).
"""

import contextlib
from typing import BinaryIO, Final

from swaps.images import cost, isolation
from swaps.images.examine import MAX_PIXELS_IN_PROCESS, check_bytes, examine
from swaps.images.reencode import check_stored, reencode
from swaps.images.refusals import refusing
from swaps.images.types import Photo, Reserve

MAX_GROWTH: Final = 3  # stored size in upload limits: pictures with alpha become PNG


def accept(
    upload: BinaryIO,
    *,
    size: int,
    max_bytes: int,
    max_pixels: int,
    reserve: Reserve = contextlib.nullcontext,
) -> Photo:
    """Check an upload, re-encode it without metadata, and return the photo to store.

    ``size`` is the upload's declared size, which is not trusted. ``reserve`` is called with the
    bytes of memory that decoding takes, before it starts; it may wait or raise. Pictures above
    ``MAX_PIXELS_IN_PROCESS`` are decoded in a child process, so that this one stays small
    (docs/adr/0017). Raises ``ImageRefused``.
    """
    check_bytes(size, max_bytes)
    with refusing():
        begin = upload.tell()
        data = upload.read(max_bytes + 1)
    check_bytes(len(data), max_bytes)
    with refusing():
        container = examine(data, max_pixels)
    memory = cost.memory(container)
    max_stored = MAX_GROWTH * max_bytes
    if container.width * container.height <= MAX_PIXELS_IN_PROCESS:
        del data, container  # hold no memory while waiting for some
        with reserve(memory), refusing():
            upload.seek(begin)
            photo = reencode(upload.read(max_bytes), max_pixels=max_pixels)
        check_stored(len(photo.data), max_stored)
        return photo
    with isolation.as_file(upload, begin, data) as file:
        del data, container
        with reserve(memory + isolation.CHILD_OVERHEAD_BYTES):
            return isolation.accept(file, max_pixels=max_pixels, max_stored=max_stored)
