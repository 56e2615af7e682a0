"""Accepts, decodes, encodes and refuses pictures. No engine, no storage, hardly any Django.

``accept`` turns an upload into a photo that can be stored; ``open_photo`` and ``encode`` convert
between files and pixels. Everything that is wrong with a picture is an ``ImageRefused``.
"""

from swaps.images.accept import accept
from swaps.images.decode import dimensions, memory_needed, open_photo
from swaps.images.encode import convert, encode, small_copies
from swaps.images.examine import ACCEPTED_CONTENT_TYPES, ACCEPTED_TEXT, MAX_PIXELS
from swaps.images.reencode import crop
from swaps.images.refusals import no_memory
from swaps.images.types import Format, ImageRefused, Photo, Reserve

__all__ = (
    "ACCEPTED_CONTENT_TYPES",
    "ACCEPTED_TEXT",
    "MAX_PIXELS",
    "Format",
    "ImageRefused",
    "Photo",
    "Reserve",
    "accept",
    "convert",
    "crop",
    "dimensions",
    "encode",
    "memory_needed",
    "no_memory",
    "open_photo",
    "small_copies",
)
