"""Enqueues background tasks by name, so that no caller has to import the tasks."""

import datetime
from importlib import import_module
from typing import Literal

TaskName = Literal[
    "run_swap",
    "look_at_photo",
    "fetch_pictures",
    "deliver_callback",
    "send_mail",
    "submit_swap",
    "ask_provider",
    "collect_result",
]


def enqueue(name: TaskName, pk: object, *, run_after: datetime.datetime | None = None) -> None:
    """Enqueue a task of ``swaps.tasks`` for one row, as part of the open transaction.

    The module is imported when it is needed: tasks import the packages that enqueue them.
    """
    task = getattr(import_module("swaps.tasks"), name)
    task.using(run_after=run_after).enqueue(str(pk))
