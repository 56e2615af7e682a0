"""manage.py swap_file SOURCE TARGET RESULT: swap faces in files, without site or queue."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from PIL import Image

from swaps import images
from swaps.provenance import xmp

_FORMATS: dict[str, images.Format] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
}
_WARNINGS = {"yaw": "the two faces look in very different directions; blotches are likely"}


class Command(BaseCommand):
    help = "Put the face of SOURCE onto the face in TARGET and write the picture to RESULT."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path)
        parser.add_argument("target", type=Path)
        parser.add_argument("result", type=Path, help="a name ending in .jpg, .png or .webp")

    def handle(self, *args: Any, **options: Any) -> None:
        from swaps.engines.classical import Engine, ModelError, NoFace

        result: Path = options["result"]
        image_format = _FORMATS.get(result.suffix.lower())
        if image_format is None:
            raise CommandError(f"{result}: name it .jpg, .png or .webp")
        source, target = (_open(options[name]) for name in ("source", "target"))
        try:
            output = Engine(settings.FACESWAP_MODELS_DIR).swap(
                source, target, self.stdout.write if options["verbosity"] > 1 else None
            )
        except ModelError as error:
            raise CommandError(str(error)) from error
        except NoFace as error:
            path = options[error.image]
            raise CommandError(f"No face was found in the {error.image} picture, {path}") from error
        try:
            result.write_bytes(
                images.encode(Image.fromarray(output.image), image_format, xmp=xmp.ai_xmp())
            )
        except (OSError, images.ImageRefused) as error:
            raise CommandError(f"{result} could not be written: {error}") from error
        for code in output.warnings:
            self.stderr.write(f"Warning: {_WARNINGS[code]}")
        self.stdout.write(f"{result}: done")


def _open(path: Path) -> Image.Image:
    try:
        return images.open_photo(path.read_bytes(), max_pixels=settings.FACESWAP_MAX_PIXELS)
    except OSError as error:
        raise CommandError(f"{path} could not be read: {error.strerror}") from error
    except images.ImageRefused as error:
        raise CommandError(f"{path}: {error.message}") from error
