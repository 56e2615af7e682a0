"""Heartbeats of the worker, courier and clock processes."""

from django.db import models


class Heartbeat(models.Model):
    """When a process was last seen alive. ``name`` is ``worker:<host>:<pid>`` and the like."""

    name = models.CharField(max_length=100, primary_key=True)
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
