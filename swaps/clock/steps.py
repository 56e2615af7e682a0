"""The list of what the clock does every second."""

import datetime

from swaps.clock import guests, recovery, retention
from swaps.clock.stray_folders import FolderSweep

STEPS = (*recovery.STEPS, *retention.STEPS, *guests.STEPS, FolderSweep())


def tick(now: datetime.datetime) -> None:
    """Run all steps once."""
    for step in STEPS:
        step(now)
