"""A task that takes its time, for tests of the worker."""

import time
from pathlib import Path

from django_tasks import task


@task()
def write_slowly(folder: str) -> None:
    """Leaves ``started``, a second later ``finished``."""
    Path(folder, "started").touch()
    time.sleep(1)
    Path(folder, "finished").touch()
