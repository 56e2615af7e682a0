"""manage.py faces FILE: print the faces of a picture as JSON."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from swaps.management.files import open_picture

if TYPE_CHECKING:
    from swaps.engines.classical import DetectedFace


class Command(BaseCommand):
    help = (
        "Print the faces of FILE as JSON, largest first: boxes as fractions of width and height, "
        "angles in degrees."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        from swaps.engines.classical import Engine, ModelError

        picture = open_picture(options["file"])
        try:
            faces = Engine(settings.FACESWAP_MODELS_DIR).faces(picture)
        except ModelError as error:
            raise CommandError(str(error)) from error
        found = {
            "image_width": picture.width,
            "image_height": picture.height,
            "faces": [_as_json(face, picture.width, picture.height) for face in faces],
        }
        self.stdout.write(json.dumps(found, indent=2))


def _as_json(face: "DetectedFace", width: int, height: int) -> dict[str, float | bool]:
    x, y, box_width, box_height = face.box
    return {
        "x": round(x / width, 4),
        "y": round(y / height, 4),
        "width": round(box_width / width, 4),
        "height": round(box_height / height, 4),
        "size": round(face.size),
        "yaw": round(face.yaw, 1),
        "pitch": round(face.pitch, 1),
        "roll": round(face.roll, 1),
        "sharpness": round(face.sharpness, 3),
        "is_whole": face.is_whole,
    }
