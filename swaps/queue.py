"""The queue of background tasks: enqueued by name, so that nobody imports tasks to enqueue one."""

import datetime
from importlib import import_module
from typing import Literal

Name = Literal[
    "run_swap",
    "fetch_pictures",
    "deliver_callback",
    "send_mail",
    "submit_swap",
    "ask_provider",
    "collect_result",
]


def enqueue(name: Name, pk: object, *, run_after: datetime.datetime | None = None) -> None:
    """Enqueue a task of ``swaps.tasks`` for one row, as part of the open transaction.

    The module is looked up when it is needed: the tasks call into the packages that enqueue them.
    """
    task = getattr(import_module("swaps.tasks"), name)
    task.using(run_after=run_after).enqueue(str(pk))
