"""manage.py worker: run a worker process."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from swaps.processes import worker


class Command(BaseCommand):
    help = "Perform swaps from the queue. SIGTERM lets it finish the running one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--name", help="name of this worker (default: from the machine and the process)"
        )
        parser.add_argument("--batch", action="store_true", help="stop when the queue is empty")

    def handle(self, *, name: str | None, batch: bool, **_options: Any) -> None:
        worker.run(name, is_batch=batch)
