"""Presigned URLs of the bucket, read back: whether they are ours, and whether they hold.

AWS Signature Version 4 in the query, as its specification describes it: the signature is computed
anew and compared. So a picture of ours can be named by its URL without asking over the network.
"""

import datetime
import hashlib
import hmac
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import boto3
from django.utils import timezone

ALGORITHM = "AWS4-HMAC-SHA256"


def key_of_presigned(store: Any, url: str) -> str | None:
    """The object key; None for a URL outside the bucket; empty for one that does not hold."""
    prefix = store.url("-").partition("-?")[0]
    if not url.startswith(prefix):
        return None
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    try:
        signed_at = datetime.datetime.strptime(query["X-Amz-Date"] + "+0000", "%Y%m%dT%H%M%SZ%z")
        ends_at = signed_at + datetime.timedelta(seconds=int(query["X-Amz-Expires"]))
        given = query.pop("X-Amz-Signature")
        right = _signature(url.partition("?")[0], query, *_credentials(store))
    except (KeyError, ValueError, OverflowError):
        return ""
    if timezone.now() >= ends_at or not hmac.compare_digest(given.encode(), right.encode()):
        return ""
    return unquote(url.partition("?")[0].removeprefix(prefix))


def _signature(url: str, query: dict[str, str], access_key: str, secret_key: str) -> str:
    """Raises ValueError or KeyError for a query that no signature of ours has."""
    key_id, date, region, service, end = query["X-Amz-Credential"].split("/")
    if key_id != access_key or query["X-Amz-SignedHeaders"] != "host":
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


def _credentials(store: Any) -> tuple[str, str]:
    if store.access_key and store.secret_key:
        return store.access_key, store.secret_key
    found = _session().get_credentials()
    if found is None:
        raise ValueError
    frozen = found.get_frozen_credentials()
    return frozen.access_key or "", frozen.secret_key or ""


@cache
def _session() -> boto3.Session:
    return boto3.Session()
