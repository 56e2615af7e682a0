"""Django system checks of the settings, run before the site starts."""

from swaps.checks import address, configuration, deployment, old_names

__all__ = ("address", "configuration", "deployment", "old_names")
