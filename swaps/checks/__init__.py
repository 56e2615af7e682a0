"""Django system checks of the settings, run before the site starts."""

from swaps.checks import address, configuration, deployment

__all__ = ("address", "configuration", "deployment")
