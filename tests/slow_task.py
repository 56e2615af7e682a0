"""A slow task, for tests of the worker."""

import time
from pathlib import Path

from django_tasks import task


@task()
def write_slowly(folder: str) -> None:
    """Write the file ``started``, and ``finished`` as soon as there is ``may_finish``."""
    Path(folder, "started").touch()
    while not Path(folder, "may_finish").exists():
        time.sleep(0.02)
    Path(folder, "finished").touch()
