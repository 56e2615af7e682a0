"""manage.py up: run the whole site."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from swaps.processes import up


class Command(BaseCommand):
    help = "Run the whole site: web server, workers, courier and clock. Ctrl-C stops all of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1", help="address (default %(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="default %(default)s")
        parser.add_argument("--web-workers", type=int, default=2, help="default %(default)s")
        parser.add_argument("--workers", type=int, default=1, help="default %(default)s")

    def handle(
        self, *, bind: str, port: int, web_workers: int, workers: int, **_options: Any
    ) -> None:
        up.run(bind=bind, port=port, web_workers=web_workers, workers=workers)
