"""Builds the STORAGES entry of a private S3 bucket from environment variables (docs/storage.md).

It holds plain values only: botocore takes 20 MB of memory, so it is imported no sooner than a
process stores or reads its first picture.
"""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from faceswap_site import env

MAX_SECONDS = 7 * 24 * 3600  # Signature Version 4 allows no more
ADDRESSING_STYLES = ("auto", "path", "virtual")
ENCRYPTIONS = ("AES256", "aws:kms")
# Browsers may show a picture again for an hour, as long as a URL works by default. Shared caches
# may not keep it: pictures show faces, and their owners can delete them.
CACHE_CONTROL = "private, max-age=3600"


def storage(bucket: str, seconds: int) -> dict[str, Any]:
    """Return the entry for a private bucket whose presigned URLs work for ``seconds``."""
    if seconds > MAX_SECONDS:
        raise ImproperlyConfigured(
            f"FACESWAP_SIGNED_URL_SECONDS={seconds}: with a bucket, {MAX_SECONDS} (7 days) is the"
            " most"
        )
    return {
        "BACKEND": "swaps.storage.s3.BucketStorage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": _address("AWS_S3_ENDPOINT_URL", env.url("AWS_S3_ENDPOINT_URL")),
            "public_endpoint_url": _address(
                "AWS_S3_PUBLIC_ENDPOINT_URL", env.url("AWS_S3_PUBLIC_ENDPOINT_URL")
            ),
            "region_name": env.text("AWS_S3_REGION_NAME") or None,
            "addressing_style": _one_of(
                "AWS_S3_ADDRESSING_STYLE",
                env.text("AWS_S3_ADDRESSING_STYLE", "auto"),
                ADDRESSING_STYLES,
            ),
            # True and not None: botocore would look for AWS_CA_BUNDLE itself, and break on an empty
            # one.
            "verify": env.text("AWS_CA_BUNDLE") or True,
            "object_parameters": {"CacheControl": CACHE_CONTROL, **_encryption()},
            "querystring_expire": seconds,
            **_keys(),
        },
    }


def _keys() -> dict[str, str | None]:
    """Return the access keys; with None boto3 looks in its usual places, like a machine's role."""
    keys = {
        "access_key": env.secret("AWS_ACCESS_KEY_ID"),
        "secret_key": env.secret("AWS_SECRET_ACCESS_KEY"),
        "security_token": env.text("AWS_SESSION_TOKEN"),
    }
    if bool(keys["access_key"]) != bool(keys["secret_key"]):
        raise ImproperlyConfigured(
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: expected both, or neither"
        )
    return {name: key or None for name, key in keys.items()}


def _encryption() -> dict[str, str]:
    """Return the parameters that encrypt a put; none to use the bucket's own default."""
    kind, key = env.text("AWS_S3_ENCRYPTION"), env.text("AWS_S3_KMS_KEY_ID")
    if key and kind != "aws:kms":
        raise ImproperlyConfigured("AWS_S3_KMS_KEY_ID: expected AWS_S3_ENCRYPTION=aws:kms with it")
    if not kind:
        return {}
    parameters = {"ServerSideEncryption": _one_of("AWS_S3_ENCRYPTION", kind, ENCRYPTIONS)}
    return parameters | ({"SSEKMSKeyId": key} if key else {})


def _one_of(name: str, value: str, allowed: Collection[str]) -> str:
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r}: expected one of {', '.join(allowed)}")
    return value


def _address(name: str, value: str) -> str | None:
    if value and not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name}={value!r}: expected an address, like https://…")
    return value or None
