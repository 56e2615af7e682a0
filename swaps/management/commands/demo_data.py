"""manage.py demo_data: create a demo account with a few swaps, on a local site only."""

import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from swaps import images
from swaps.lifecycle.request import request_swap
from swaps.models import Provider, User

EMAIL = "demo@example.com"
PAIRS = 3


class Command(BaseCommand):
    help = "Create the account demo@example.com and request a few swaps for it. Idempotent."

    def handle(self, **options: Any) -> None:
        if not settings.IS_LOCAL:
            self.stdout.write("No demo account: SITE_URL is not this machine.")
            return
        password = settings.FACESWAP_VAR / "demo-password"
        if not User.objects.filter(email=EMAIL).exists():
            self._create(password)
        self.stdout.write(f"Demo account: {EMAIL}, its password is in {password}")

    def _create(self, password: Path) -> None:
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(12) + "\n", encoding="utf-8")
        user = User.objects.create_user(EMAIL, password.read_text(encoding="utf-8").strip())
        folder = settings.BASE_DIR / "static" / "img" / "demo"
        for number in range(PAIRS, 0, -1):
            request_swap(
                user,
                _photo(folder / f"{number}-face.jpg"),
                _photo(folder / f"{number}-photo.jpg"),
                provider=Provider.EMBEDDED,  # a hosted one may want money for them
            )


def _photo(path: Path) -> images.Photo:
    with path.open("rb") as file:
        return images.accept(
            file,
            size=path.stat().st_size,
            max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
            max_pixels=settings.FACESWAP_MAX_PIXELS,
        )
