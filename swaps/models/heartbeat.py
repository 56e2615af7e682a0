from django.db import models


class Heartbeat(models.Model):
    """A sign of life of a process: ``worker:<id>`` or ``clock:<id>``."""

    name = models.CharField(max_length=100, primary_key=True)
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
