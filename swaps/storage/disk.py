"""The store on disk: files in a folder, each written completely or not at all."""

import contextlib
import os
import uuid
from pathlib import Path
from urllib.parse import urljoin

from django.conf import settings
from django.core import signing
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.urls import reverse

FILE_SALT = "swaps.file"
PARTIAL_FOLDER = "writing"  # holds files while they are being written


class DiskStorage(FileSystemStorage):
    """Stores files below MEDIA_ROOT, and signs URLs that expire, as S3 does."""

    def url(self, name: str | None, expire: int | None = None) -> str:
        """Return a URL of this site that is signed for this file and expires."""
        seconds = expire or settings.FACESWAP_SIGNED_URL_SECONDS
        token = signing.dumps([name, seconds], salt=FILE_SALT)
        return urljoin(settings.SITE_URL, reverse("swaps:file", args=[token]))

    def _save(self, name: str, content: "File[bytes]") -> str:
        """Write and fsync a temporary file, then rename it: no partial file is ever seen."""
        part = Path(self.path(f"{PARTIAL_FOLDER}/{uuid.uuid4().hex}"))
        part.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("xb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            if self.file_permissions_mode is not None:
                part.chmod(self.file_permissions_mode)
            _rename(part, Path(self.path(name)))
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        return name

    def delete(self, name: str) -> None:
        """Delete the file, and its folder when that is empty."""
        super().delete(name)
        with contextlib.suppress(OSError):
            Path(self.path(name)).parent.rmdir()

    def key_of_url(self, _url: str) -> str | None:
        """Return None: its URLs are the site's own, which ``links`` reads."""
        return None


def _rename(part: Path, path: Path) -> None:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.replace(path)
        except FileNotFoundError:  # somebody deleted the empty folder in between
            if not part.exists():
                raise
        else:
            return
