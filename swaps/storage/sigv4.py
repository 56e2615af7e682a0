"""Verifies presigned URLs of the bucket: whether they are ours, valid and not expired.

AWS Signature Version 4 in the query, by its specification: the signature is computed again and
compared. So a URL can be mapped to its object key without a request.
"""

import datetime
import hashlib
import hmac
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from django.utils import timezone

ALGORITHM = "AWS4-HMAC-SHA256"


def key_of_presigned(url: str, *, prefix: str, access_key: str, secret_key: str) -> str | None:
    """Return the object key of a presigned URL; "" for one that is invalid or has expired.

    ``prefix`` is what every presigned URL of the bucket starts with. Returns None for a URL outside
    the bucket, and for one signed with another access key: keys of a role change every few hours,
    and only the server can tell whether it is valid.
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
    """Return the signature of the query.

    Raises ValueError or KeyError for one that we never make.
    """
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
