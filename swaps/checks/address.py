"""System checks of addresses: the path of SITE_URL, and host names that DNS can resolve."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from swaps.net.names import ascii_host

# RFC 3986 allows more; these mean the same to every proxy, and are allowed in cookie names.
SITE_PATH = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*")


@register
def check_site_path(**_: Any) -> list[CheckMessage]:
    """Check that SITE_URL ends with a plain path or none."""
    try:
        parts = urlsplit(settings.SITE_URL)
    except ValueError:
        return []
    is_plain = not (parts.query or parts.fragment or parts.username is not None)
    if not parts.netloc or (is_plain and SITE_PATH.fullmatch(parts.path)):
        return []
    return [
        Error(
            "SITE_URL is not scheme, host and a plain path: a path may have letters, digits and "
            "-._~, and there may be no user name, no ? and no #.",
            hint="Set it to an address like https://example.org/faces",
            id="swaps.E024",
        )
    ]


@register
def check_host_names(**_: Any) -> list[CheckMessage]:
    """Check that host names have an ASCII form; those that do are in that form by now."""
    urls = {
        "SITE_URL": settings.SITE_URL,
        "FACESWAP_HOSTED_URL": settings.FACESWAP_HOSTED_URL,
        **_bucket_urls(),
    }
    names = [(setting, _host_of(url)) for setting, url in urls.items() if url]
    names += [("ALLOWED_HOSTS", host) for host in settings.ALLOWED_HOSTS]
    return [
        Error(
            f"{setting}: {host!r} is no host name: no such name can be registered.",
            hint="Write letters and digits of any script, as in bücher.example, or its form that "
            "begins with xn--",
            id="swaps.E025",
        )
        for setting, host in names
        if not _is_sendable(host)
    ]


def _bucket_urls() -> dict[str, str]:
    if not settings.AWS_STORAGE_BUCKET_NAME:
        return {}
    options = settings.STORAGES["default"]["OPTIONS"]
    return {
        "AWS_S3_ENDPOINT_URL": options["endpoint_url"],
        "AWS_S3_PUBLIC_ENDPOINT_URL": options["public_endpoint_url"],
    }


def _host_of(url: str) -> str:
    """Return the host and port of a URL, without a user name and password."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _is_sendable(host: str) -> bool:
    try:
        ascii_host(host)
    except ValueError:
        return False
    return True
