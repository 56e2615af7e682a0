"""The options of ``storages.backends.s3.S3Storage``, read from the environment.

In a module of its own since botocore takes 20 MB of each web process: only a site with a bucket
imports it.
"""

from typing import Any

from botocore.config import Config

from faceswap_site import env


def storage(bucket: str, seconds: int) -> dict[str, Any]:
    """The STORAGES entry of a private bucket whose URLs are signed and live for ``seconds``."""
    addressing: Any = env.text("AWS_S3_ADDRESSING_STYLE", "auto")
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "endpoint_url": env.text("AWS_S3_ENDPOINT_URL") or None,
            "region_name": env.text("AWS_S3_REGION_NAME") or None,
            "access_key": env.secret("AWS_ACCESS_KEY_ID") or None,
            "secret_key": env.secret("AWS_SECRET_ACCESS_KEY") or None,
            "querystring_auth": True,
            "querystring_expire": seconds,
            "default_acl": None,
            "file_overwrite": True,
            # Many S3-compatible servers answer 411 to the newer checksums. With client_config the
            # options addressing_style and signature_version would be ignored: they stand in it.
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": addressing},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                connect_timeout=5,
                read_timeout=30,
                retries={"max_attempts": 4, "mode": "standard"},
            ),
        },
    }
