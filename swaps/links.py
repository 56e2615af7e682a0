"""Signs URLs of this site that may do one thing, and reads such URLs back."""

import datetime
import uuid
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings
from django.core import signing
from django.urls import reverse

from swaps import storage
from swaps.net.addresses import parse_url
from swaps.storage import FILE_SALT

CALLBACK_SALT = "swaps.callback"
CALLBACK_LIFE = datetime.timedelta(days=7)
SAMPLES = {f"{number}-{name}.jpg" for number in (1, 2, 3) for name in ("face", "photo", "result")}


def is_on_this_site(url: str) -> bool:
    """Return whether a redirect may lead to this URL.

    A path of this site, with or without its host.
    """
    is_path = url.startswith("/") and not url.startswith("//")
    whole = path_on_this_site(urljoin(settings.SITE_URL, "/")[:-1] + url if is_path else url)
    if whole is None:
        return False
    path = unquote(whole.partition("?")[0])
    is_below = f"{path}/".startswith(f"{urlsplit(settings.SITE_URL).path}/")
    return is_below and {".", ".."}.isdisjoint(path.split("/"))


def key_of_file(token: str) -> str | None:
    """Return the object key of a signed file URL's token; None when forged or expired."""
    try:
        key, seconds = signing.loads(token, salt=FILE_SALT)
        signing.loads(token, salt=FILE_SALT, max_age=seconds)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(key)


def callback_url(swap_id: uuid.UUID) -> str:
    """Return the URL where a hosted provider reports on this one swap."""
    token = signing.dumps(swap_id.hex, salt=CALLBACK_SALT)
    return urljoin(settings.SITE_URL, reverse("swaps:callback", args=[token]))


def is_own_callback(url: str) -> bool:
    """Return whether a URL is one of this site's callbacks for hosted providers."""
    token = _placeholder_value(url, reverse("swaps:callback", args=["-"]))
    return token is not None and swap_id_of_callback(token) is not None


def swap_id_of_callback(token: str) -> uuid.UUID | None:
    """Return the swap's id from the token of a callback URL; None when forged or expired."""
    try:
        return uuid.UUID(signing.loads(token, salt=CALLBACK_SALT, max_age=CALLBACK_LIFE))
    except (signing.BadSignature, ValueError, TypeError, AttributeError):
        return None


def shared_url(token: str) -> str:
    """Return the URL of a shared picture's page, for anybody."""
    return urljoin(settings.SITE_URL, reverse("swaps:shared", args=[token]))


def sample(name: str) -> Path | None:
    """Return the file of a sample picture; None when there is none of this name."""
    if name not in SAMPLES:
        return None
    path: Path = settings.BASE_DIR / "static" / "img" / "demo" / name
    return path


def sample_url(name: str) -> str:
    """Return the URL of a sample picture."""
    return urljoin(settings.SITE_URL, reverse("swaps:sample", args=[name]))


def sample_of_own_url(url: str) -> Path | None:
    """Return the sample picture that a URL of this site leads to; None for any other URL."""
    name = _placeholder_value(url, reverse("swaps:sample", args=["-"]))
    return sample(name) if name else None


def key_of_own_url(url: str) -> str | None:
    """Return the object key of a signed URL of this site's storage; None for any other URL.

    Returns "" for one that is forged, expired, or leads to no picture.
    """
    token = _placeholder_value(url, reverse("swaps:file", args=["-"]))
    if token is None:
        return storage.key_of_presigned(url)
    return key_of_file(token) or ""


def path_on_this_site(url: str) -> str | None:
    """Return path and query of a URL of this site, however its host is written; None for others."""
    try:
        site, target = parse_url(settings.SITE_URL), parse_url(url)
    except ValueError:
        return None
    is_here = (target.is_https, target.host, target.port) == (site.is_https, site.host, site.port)
    return target.path if is_here else None


def _placeholder_value(url: str, example: str) -> str | None:
    """Return what a URL of this site has in place of the hyphen in ``example``.

    None if no match.
    """
    prefix, _, suffix = example.rpartition("-")
    path = path_on_this_site(url)
    if path is None or not path.startswith(prefix):
        return None
    return path.removeprefix(prefix).removesuffix(suffix)
