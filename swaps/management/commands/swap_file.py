"""manage.py swap_file SOURCE TARGET RESULT: swap faces in files, without site or queue."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from PIL import Image

from swaps import images, messages
from swaps.management.files import open_picture
from swaps.provenance import xmp

_FORMATS: dict[str, images.Format] = {
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".png": "png",
    ".webp": "webp",
}


class Command(BaseCommand):
    help = "Put the face of SOURCE onto the face in TARGET and write the picture to RESULT."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path)
        parser.add_argument("target", type=Path)
        parser.add_argument("result", type=Path, help="a name ending in .jpg, .png or .webp")
        parser.add_argument(
            "--source-face",
            type=_point,
            metavar="X,Y",
            help="a point on the face meant, from 0 to 1 of width and height",
        )
        target = parser.add_mutually_exclusive_group()
        target.add_argument(
            "--target-face", type=_point, metavar="X,Y", help="the same for the face to replace"
        )
        target.add_argument(
            "--all",
            action="store_const",
            const="all",
            dest="target_face",
            help="replace every face of TARGET",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from swaps.engines.classical import Engine, ModelError, NoFace

        result: Path = options["result"]
        image_format = _FORMATS.get(result.suffix.lower())
        if image_format is None:
            raise CommandError(f"{result}: name it .jpg, .png or .webp")
        source, target = (open_picture(options[name]) for name in ("source", "target"))
        try:
            output = Engine(settings.FACESWAP_MODELS_DIR).swap(
                source,
                target,
                self.stdout.write if options["verbosity"] > 1 else None,
                [(options["source_face"], options["target_face"])],
            )
        except ModelError as error:
            raise CommandError(str(error)) from error
        except NoFace as error:
            path = options[error.image]
            point = options[f"{error.image}_face"]
            where = "in" if point is None else f"at {point[0]:g},{point[1]:g} of"
            raise CommandError(
                f"No face was found {where} the {error.image} picture, {path}"
            ) from error
        try:
            result.write_bytes(
                images.encode(Image.fromarray(output.image), image_format, xmp=xmp.ai_xmp())
            )
        except (OSError, images.ImageRefused) as error:
            raise CommandError(f"{result} could not be written: {error}") from error
        for code in output.warnings:
            self.stderr.write("Warning: " + messages.text({"code": f"warning.{code}"}))
        self.stdout.write(f"{result}: done, score {output.score:.2f}")


def _point(text: str) -> tuple[float, float]:
    """Parse ``X,Y``, both from 0 to 1."""
    x, y = map(float, text.split(","))
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise argparse.ArgumentTypeError(f"{text}: both numbers are from 0 to 1")
    return x, y
