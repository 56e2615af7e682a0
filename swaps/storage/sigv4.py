"""Presigned URLs of the bucket, read back: whether they are ours, and whether they hold.

AWS Signature Version 4 in the query, as its specification describes it: the signature is computed
anew and compared. So a picture of ours can be named by its URL without asking over the network.
"""

import datetime
import hashlib
import hmac
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.utils import timezone

ALGORITHM = "AWS4-HMAC-SHA256"


def key_of_presigned(url: str, *, prefix: str, access_key: str, secret_key: str) -> str | None:
    """The object key; empty for a URL that does not hold.

    ``prefix`` is what every presigned URL of the bucket starts with. None for a URL outside the
    bucket, and for one that another access key has signed: those of a role change every few hours.
    Whether it holds then, only the server can tell.
    """
    if not url.startswith(prefix):
        return None
    address = url.partition("?")[0]
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    try:
        if query["X-Amz-Credential"].partition("/")[0] != access_key:
            return None
        signed_at = datetime.datetime.strptime(query["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        ends_at = signed_at + datetime.timedelta(seconds=int(query["X-Amz-Expires"]))
        given = query.pop("X-Amz-Signature")
        right = _signature(address, query, secret_key)
        is_right = hmac.compare_digest(given.encode(), right.encode())
    except (KeyError, ValueError, OverflowError):
        return ""
    if timezone.now() >= ends_at or not is_right:
        return ""
    return unquote(address.removeprefix(prefix))


def _signature(url: str, query: dict[str, str], secret_key: str) -> str:
    """Raises ValueError or KeyError for a query that no signature of ours has."""
    _, date, region, service, end = query["X-Amz-Credential"].split("/")
    if query["X-Amz-SignedHeaders"] != "host":
        raise ValueError
    address = urlsplit(url)
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query.items()
    )
    parts = (
        "GET",
        address.path,
        "&".join(f"{name}={value}" for name, value in pairs),
        f"host:{address.netloc}",
        "",
        "host",
        "UNSIGNED-PAYLOAD",
    )
    scope = f"{date}/{region}/{service}/{end}"
    request = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for step in (date, region, service, end):
        key = _hmac(key, step)
    return _hmac(key, "\n".join((ALGORITHM, query["X-Amz-Date"], scope, request))).hex()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
