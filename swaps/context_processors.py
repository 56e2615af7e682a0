"""What every page knows: who performs the swaps, and whether this site can send mail."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from swaps.models import Provider


def provider(request: HttpRequest) -> dict[str, str]:
    """To whom the pictures of swaps are sent, by the way they came in; empty when to nobody.

    A page that is shown without a request knows neither, and says nothing about it.
    """
    host = host_of_provider()
    is_hosted = {
        "provider_host": settings.FACESWAP_PROVIDER,
        "api_provider_host": settings.FACESWAP_API_PROVIDER,
    }
    return {name: host if who == Provider.HOSTED else "" for name, who in is_hosted.items()}


def mail(request: HttpRequest) -> dict[str, bool]:
    """Whether this site can send mail at all."""
    return {"sends_mail": settings.SENDS_MAIL}


def host_of_provider() -> str:
    try:
        host = urlsplit(settings.FACESWAP_API_URL).hostname
    except ValueError:
        host = ""
    return host or "another server"
