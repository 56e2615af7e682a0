"""Context of every page: which provider performs swaps, and whether this site can send mail."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from swaps.models import Provider


def provider(request: HttpRequest) -> dict[str, str]:
    """Return the host to which pictures are sent, for each door; empty where they stay here.

    A page that is rendered without a request has neither, and says nothing about it.
    """
    host = host_of_provider()
    is_hosted = {
        "provider_host": settings.FACESWAP_PROVIDER,
        "api_provider_host": settings.FACESWAP_API_PROVIDER,
    }
    return {name: host if who == Provider.HOSTED else "" for name, who in is_hosted.items()}


def mail(request: HttpRequest) -> dict[str, bool]:
    """Return whether this site can send mail."""
    return {"sends_mail": settings.SENDS_MAIL}


def host_of_provider() -> str:
    """Return the host name of the hosted provider, or a general word when its URL has none."""
    try:
        host = urlsplit(settings.FACESWAP_HOSTED_URL).hostname
    except ValueError:
        host = ""
    return host or "another server"
