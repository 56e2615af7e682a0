from django.apps import AppConfig


class SwapsConfig(AppConfig):
    name = "swaps"
    verbose_name = "Face swaps"

    def ready(self) -> None:
        from swaps import (  # noqa: F401 (they register themselves)
            checks,
            checks_address,
            checks_deployment,
            signals,
        )
