"""manage.py courier: run the courier process."""

from typing import Any

from django.core.management.base import BaseCommand

from swaps.processes import courier


class Command(BaseCommand):
    help = "Fetch pictures, deliver callbacks, send mail, and talk to the hosted provider."

    def handle(self, **_options: Any) -> None:
        courier.run()
