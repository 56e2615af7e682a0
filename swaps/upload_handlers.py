"""Upload handlers that limit files while they are received."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Stores at most the allowed size of a file, and counts its real size."""

    file: Any

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.seen = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.seen += len(raw_data)
        if self.seen <= settings.FACESWAP_MAX_UPLOAD_BYTES:
            self.file.write(raw_data)
