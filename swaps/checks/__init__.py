"""System checks: what can be set wrong is said before the site starts."""

from swaps.checks import address, configuration, deployment

__all__ = ("address", "configuration", "deployment")
