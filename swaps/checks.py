"""System checks: what can be set wrong is said before the site starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from swaps import net


@register
def check_address(**_: Any) -> list[CheckMessage]:
    """A site for others is served over https and shows no debug pages."""
    problems: list[CheckMessage] = []
    if not settings.SITE_URL.startswith(("http://", "https://")):
        problems.append(
            Error(
                f"SITE_URL={settings.SITE_URL!r} is not an http(s) address.",
                hint="Set it to where people open the site, like https://faces.example.org",
                id="swaps.E001",
            )
        )
    if settings.IS_LOCAL:
        return problems
    if not settings.IS_HTTPS:
        problems.append(
            Error(
                "SITE_URL is a public address without https: passwords and faces would travel "
                "in the open.",
                hint="Put a TLS proxy in front and set SITE_URL=https://…",
                id="swaps.E002",
            )
        )
    if settings.DEBUG:
        problems.append(
            Error(
                "DEBUG is on for a public address: error pages would show secrets.",
                hint="Unset DEBUG.",
                id="swaps.E003",
            )
        )
    return problems


@register
def check_fetch_allow(**_: Any) -> list[CheckMessage]:
    """What may be asked besides public addresses is understood, or nothing starts."""
    try:
        net.parse_allow(settings.FACESWAP_FETCH_ALLOW)
    except ValueError as error:
        return [
            Error(
                f"FACESWAP_FETCH_ALLOW: {error}",
                hint="List host, host:port or network, separated by commas.",
                id="swaps.E004",
            )
        ]
    return []
