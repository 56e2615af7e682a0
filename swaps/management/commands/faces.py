"""manage.py faces FILE: print the faces of a picture as JSON."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from swaps.management.files import open_picture


class Command(BaseCommand):
    help = (
        "Print the faces of FILE as JSON, largest first: boxes as fractions of width and height, "
        "angles in degrees, and advice about what may spoil a swap."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        from swaps.engines.classical import Engine, ModelError
        from swaps.providers.faces import as_json

        picture = open_picture(options["file"])
        try:
            faces = Engine(settings.FACESWAP_MODELS_DIR).faces(picture)
        except ModelError as error:
            raise CommandError(str(error)) from error
        found = {
            "image_width": picture.width,
            "image_height": picture.height,
            "faces": [as_json(face, picture.width, picture.height) for face in faces],
        }
        self.stdout.write(json.dumps(found, indent=2))
