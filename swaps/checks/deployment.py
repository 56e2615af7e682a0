"""System checks of the deployment: trusted proxies and the mail server."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004

from swaps.net import proxies


@register
def check_proxies(**_: Any) -> list[CheckMessage]:
    """Check that trusted proxies can be parsed and do not include strangers."""
    try:
        trusted = proxies.parse_networks(settings.FACESWAP_TRUSTED_PROXIES)
    except ValueError as error:
        return [
            Error(
                f"FACESWAP_TRUSTED_PROXIES: {error}",
                hint="List addresses and networks, separated by commas, as in "
                "10.0.0.5, 172.18.0.0/16",
                id="swaps.E017",
            )
        ]
    problems: list[CheckMessage] = [
        Error(
            f"FACESWAP_TRUSTED_PROXIES: {network} holds strangers' addresses. They could claim to "
            "be anybody, and no limit on attempts would hold.",
            hint="List the addresses of your proxies only.",
            id="swaps.E018",
        )
        for network in trusted
        if proxies.is_too_wide(network)
    ]
    if settings.IS_HTTPS and not trusted:
        problems.append(
            Warning(
                "SITE_URL is https, but no proxy is trusted to say that a request came by https: "
                "each page would lead to itself, and all visitors would share one address.",
                hint="Set BEHIND_PROXY=1 for a proxy on this machine, FACESWAP_TRUSTED_PROXIES for "
                "others.",
                id="swaps.W003",
            )
        )
    return problems


@register(Tags.security, deploy=True)
def check_mail(**_: Any) -> list[CheckMessage]:
    """Check that mail with password links is not written to the log."""
    if settings.EMAIL_HOST or not settings.IS_HTTPS:
        return []
    return [
        Error(
            "There is no mail server: mail goes to the log, and with it links that let everybody "
            "who reads the log set passwords.",
            hint="Set EMAIL_HOST.",
            id="swaps.E016",
        )
    ]
