"""Opens the pictures that commands are given as files."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import CommandError
from PIL import Image

from swaps import images


def open_picture(path: Path) -> Image.Image:
    """Return the upright picture of a file, as the site opens it; raises CommandError."""
    try:
        return images.open_photo(path.read_bytes(), max_pixels=settings.FACESWAP_MAX_PIXELS)
    except OSError as error:
        raise CommandError(f"{path} could not be read: {error.strerror}") from error
    except images.ImageRefused as error:
        raise CommandError(f"{path}: {error.message}") from error
