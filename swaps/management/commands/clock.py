"""manage.py clock: run the clock process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from swaps.processes import clock


class Command(BaseCommand):
    help = "Re-queue crashed swaps, purge what has had its time. Two clocks at once do no harm."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="one tick, then stop")

    def handle(self, *, once: bool, **_options: Any) -> None:
        clock.run(is_once=once)
