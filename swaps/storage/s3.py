"""The store on S3: one request per put, streaming reads that resume, and presigned URLs."""

import io
import threading
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError
from django.core.files.base import File
from django.utils.functional import cached_property
from storages.backends.s3 import S3Storage

from swaps.storage import sigv4
from swaps.storage.keys import CONTENT_TYPES

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.service_resource import S3ServiceResource
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

MAX_ATTEMPTS = 4
BLOCK_BYTES = 64 * 1024
# For the request slots, downloads by slow clients, and the health check.
CONNECTIONS = 32

_clients_lock = threading.RLock()  # boto3 sessions are not thread-safe


class BucketStorage(S3Storage):  # type: ignore[misc]
    """Uses django-storages with fewer requests, streams in both directions, and one shared client.

    Clients are thread-safe. One per thread, as django-storages makes them, takes 12 MB and 0.1 s
    each, and a web process has two hundred threads.
    """

    def get_default_settings(self) -> dict[str, Any]:
        return {**super().get_default_settings(), "public_endpoint_url": None}

    @cached_property
    def session(self) -> boto3.Session:
        session: boto3.Session = self._create_session()
        return session

    @property
    def connection(self) -> "S3ServiceResource":
        """The shared resource, in place of the one that django-storages makes for each thread."""
        with _clients_lock:
            return self._resource

    @property
    def client(self) -> "S3Client":
        return self.connection.meta.client

    @cached_property
    def public_prefix(self) -> str:
        """What every presigned URL of this bucket starts with."""
        with _clients_lock:
            return self.prefix_of(self._signer)

    def url(
        self,
        name: str,
        parameters: dict[str, Any] | None = None,
        expire: int | None = None,
        http_method: str | None = None,
    ) -> str:
        """Return a presigned URL at the bucket's public address."""
        with _clients_lock:
            signer = self._signer
        return signer.generate_presigned_url(
            "get_object",
            Params={**(parameters or {}), "Bucket": self.bucket_name, "Key": self._key(name)},
            ExpiresIn=self.querystring_expire if expire is None else expire,
            HttpMethod=http_method or "GET",
        )

    def key_of_url(self, url: str) -> str | None:
        """Return the object key of a presigned URL of this bucket.

        See ``sigv4.key_of_presigned``.
        """
        found = self.session.get_credentials()
        frozen = found.get_frozen_credentials() if found else None
        return sigv4.key_of_presigned(
            url,
            prefix=self.public_prefix,
            access_key=(frozen and frozen.access_key) or "",
            secret_key=(frozen and frozen.secret_key) or "",
        )

    def get_object_parameters(self, name: str) -> dict[str, Any]:
        path = PurePosixPath(name)
        return {
            **self.object_parameters,
            "ContentType": CONTENT_TYPES.get(path.suffix, "application/octet-stream"),
            "ContentDisposition": f'inline; filename="{path.name}"',
        }

    def _save(self, name: str, content: "File[bytes]") -> str:
        """Store the file with one PUT, read as it is sent."""
        content.seek(0)
        body: Any = content.file
        self.client.put_object(
            Bucket=self.bucket_name,
            Key=self._key(name),
            Body=body,
            **self.get_object_parameters(name),
        )
        return name

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """Open the object with one GET, whose body is read as it arrives."""
        key = self._key(name)

        def get_object(**more: Any) -> "GetObjectOutputTypeDef":
            try:
                return self.client.get_object(Bucket=self.bucket_name, Key=key, **more)
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchKey":
                    raise FileNotFoundError(key) from error
                raise

        body = ObjectStream(get_object)
        file = File(io.BufferedReader(body, BLOCK_BYTES), name=name)
        file.size = body.size
        return file

    def prefix_of(self, client: "S3Client") -> str:
        """Return the URL prefix of the bucket as this client addresses it."""
        url = client.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket_name, "Key": "-"}
        )
        return url.partition("-?")[0]

    def _key(self, name: str) -> str:
        key: str = self._normalize_name(name)
        return key

    @cached_property
    def _resource(self) -> "S3ServiceResource":
        resource = self.session.resource(
            "s3",
            endpoint_url=self.endpoint_url,
            region_name=self.region_name,
            verify=self.verify,
            config=self._config(self.endpoint_url),
        )
        resource.meta.client.meta.events.register_last("before-call.s3", _skip_expect_continue)
        return resource

    @cached_property
    def _signer(self) -> "S3Client":
        """A client that signs URLs for the public address and never connects."""
        if not self.public_endpoint_url:
            return self.client
        return self.session.client(
            "s3",
            endpoint_url=self.public_endpoint_url,
            region_name=self.region_name,
            verify=self.verify,
            config=self._config(self.public_endpoint_url),
        )

    def _config(self, endpoint: str | None) -> Config:
        style = self.addressing_style
        if style == "auto" and not endpoint:
            # With "auto", botocore signs URLs for a global AWS address that redirects to the
            # region's; a signature for one host is not valid for the other.
            style = "virtual"
        return Config(
            signature_version="s3v4",
            s3={"addressing_style": style},
            # Many S3-compatible servers answer 411 to the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=5,
            read_timeout=30,
            retries={"total_max_attempts": MAX_ATTEMPTS, "mode": "standard"},
            max_pool_connections=CONNECTIONS,
        )


class ObjectStream(io.RawIOBase):
    """Reads the body of one object.

    If the connection breaks, a new request resumes at that byte.
    """

    def __init__(self, get_object: Callable[..., "GetObjectOutputTypeDef"]) -> None:
        response = get_object()
        self._get_object = get_object
        self._etag = response["ETag"]
        self._stream: StreamingBody = response["Body"]
        self._at = 0
        self.size = response["ContentLength"]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        return self._read(None)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()

    def _read(self, amount: int | None) -> bytes:
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                return self._read_once(amount)
            except (HTTPClientError, IncompleteReadError):
                self._resume()
        return self._read_once(amount)

    def _read_once(self, amount: int | None) -> bytes:
        data = self._stream.read(amount)
        self._at += len(data)
        return data

    def _resume(self) -> None:
        """Request the rest of the object, only if it is still the same one (``If-Match``)."""
        self._stream.close()
        response = self._get_object(Range=f"bytes={self._at}-", IfMatch=self._etag)
        if response["ContentLength"] != self.size - self._at:  # a proxy ignored the Range header
            raise OSError("The rest of the object was asked for, and something else came.")
        self._stream = response["Body"]


def _skip_expect_continue(params: dict[str, Any], **_: Any) -> None:
    """Send small bodies without ``Expect: 100-continue``, which would cost another round trip."""
    if isinstance(params["body"], io.BytesIO):
        params["headers"].pop("Expect", None)
