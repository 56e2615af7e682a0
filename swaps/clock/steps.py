"""All that the clock does every second."""

import datetime

from swaps.clock import recovery, retention
from swaps.clock.stray_folders import FolderSweep

STEPS = (*recovery.STEPS, *retention.STEPS, FolderSweep())


def tick(now: datetime.datetime) -> None:
    """One beat of the clock, all steps."""
    for step in STEPS:
        step(now)
