"""Photos that people send become photos that can be stored. The rules: docs/images.md.

Runs in web processes too: Pillow only, no Django (limits are arguments).
"""

import contextlib
from typing import BinaryIO, Final

from swaps.images import cost, isolation
from swaps.images.examine import MAX_PIXELS_HERE, check_bytes, examine
from swaps.images.reencode import check_stored, reencode
from swaps.images.refusals import refusing
from swaps.images.types import Photo, Reserve

MAX_GROWTH: Final = 3  # times the limit of an upload: a picture with alpha is kept as PNG


def accept(
    upload: BinaryIO,
    *,
    size: int,
    max_bytes: int,
    max_pixels: int,
    reserve: Reserve = contextlib.nullcontext,
) -> Photo:
    """The web form's door. ``size`` is what the upload says of itself; it is not believed.

    ``reserve`` is asked for the memory before anything is decoded, and may wait for it or raise.
    A large picture is opened in a child process: this one stays small (docs/adr/0017).
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
    if container.width * container.height <= MAX_PIXELS_HERE:
        del data, container  # whoever waits for memory holds none
        with reserve(memory), refusing():
            upload.seek(begin)
            photo = reencode(upload.read(max_bytes), max_pixels=max_pixels)
        check_stored(len(photo.data), max_stored)
        return photo
    with isolation.as_file(upload, begin, data) as file:
        del data, container
        with reserve(memory + isolation.MEMORY_BESIDE):
            return isolation.accept(file, max_pixels=max_pixels, max_stored=max_stored)
