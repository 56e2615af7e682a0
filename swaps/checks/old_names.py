"""System check of settings that are still given by an old name."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Info, Warning, register  # noqa: A004


@register
def check_old_names(**_: Any) -> list[CheckMessage]:
    """Check for settings with old names; warn where the new name is set to another value."""
    return [
        Warning(
            f"{name.old} and {name.new} are both set, and differ: {name.new} counts.",
            hint=f"Remove {name.old}, which is the old name.",
            id="swaps.W004",
        )
        if name.is_overruled
        else Info(
            f"{name.old} is the old name of {name.new}. It goes on working.",
            hint=f"Write {name.new} instead.",
            id="swaps.I001",
        )
        for name in settings.FACESWAP_OLD_NAMES
    ]
