"""Labels: what its owner says of a swap."""

from django.db import models

from swaps.redaction import printable

MAX_NAME = 80


def clean_name(text: str) -> str:
    """Return a name as it is kept: one line, trimmed, nothing invisible, not too long."""
    return " ".join("".join(printable(text)).split())[:MAX_NAME].strip()


class Labels(models.Model):
    """The name and the star of a swap; they change nothing but how it is shown and found."""

    name = models.CharField(max_length=MAX_NAME, blank=True, default="", db_default="")
    is_starred = models.BooleanField("starred", default=False, db_default=False)

    class Meta:
        abstract = True

    def rename(self, name: str) -> None:
        """Give it this name; an empty one takes its name away."""
        self.name = clean_name(name)
        self.save(update_fields=["name"])

    def star(self, *, is_starred: bool) -> None:
        """Give it a star, or take it away."""
        self.is_starred = is_starred
        self.save(update_fields=["is_starred"])
