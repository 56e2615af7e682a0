"""Enqueues background tasks by name, so that no caller has to import the tasks."""

import datetime
from importlib import import_module
from typing import Literal

TaskName = Literal[
    "run_swap",
    "look_at_photo",
    "fetch_pictures",
    "detect_faces",
    "fetch_detection",
    "deliver_callback",
    "send_mail",
    "submit_swap",
    "ask_provider",
    "collect_result",
    "make_small_copies",
]


def enqueue(
    name: TaskName,
    pk: object,
    *,
    run_after: datetime.datetime | None = None,
    priority: int | None = None,
) -> None:
    """Enqueue a task of ``swaps.tasks`` for one row, as part of the open transaction.

    Tasks of a higher ``priority`` (-100 to 100) come first; without one it is the task's own. The
    module is imported when it is needed: tasks import the packages that enqueue them.
    """
    task = getattr(import_module("swaps.tasks"), name)
    task.using(run_after=run_after, priority=priority).enqueue(str(pk))
