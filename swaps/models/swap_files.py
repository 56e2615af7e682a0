"""The files of a swap: its sources, its target and its result, by their object keys."""

import uuid
from typing import Literal

from django.db import models

PictureKind = Literal["source", "target", "result"]


class SwapFiles(models.Model):
    """The object keys of a swap; an input that was sent as URL has none until it is here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    source_key = models.CharField(
        max_length=200, blank=True, help_text="Empty until a picture that was sent as URL is here."
    )
    target_key = models.CharField(max_length=200, blank=True)
    result_key = models.CharField(max_length=200, blank=True)
    more_source_keys = models.JSONField(
        default=list, db_default=[], blank=True, help_text="Of the second source and those after it"
    )

    class Meta:
        abstract = True

    @property
    def has_pictures(self) -> bool:
        """Whether all its pictures are in our storage; those of an API call are fetched later."""
        return bool(self.target_key and all(self.source_keys))

    def key(self, kind: PictureKind) -> str:
        """Return the object key of one of its pictures; "" while there is none."""
        return {"source": self.source_key, "target": self.target_key, "result": self.result_key}[
            kind
        ]

    @property
    def source_keys(self) -> list[str]:
        """The object keys of its source pictures, in the order that ``pairs`` counts."""
        return [self.source_key, *self.more_source_keys]

    @property
    def input_keys(self) -> dict[str, str]:
        """The object keys of its inputs, by the names of the files without extension."""
        more = {f"source-{number}": key for number, key in enumerate(self.more_source_keys, 1)}
        return {"source": self.source_key, "target": self.target_key, **more}

    @property
    def keys(self) -> list[str]:
        """The object keys of all files it may have, even if a killed process left them behind."""
        known = [key for key in (*self.source_keys, self.target_key) if key]
        open_names = ["result", *([] if self.has_pictures else self.input_keys)]
        possible = [f"swaps/{self.pk}/{name}{e}" for name in open_names for e in (".jpg", ".png")]
        return [*known, *(key for key in possible if key not in known)]
