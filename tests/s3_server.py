"""The tests' real S3 server as the store of the site, and buckets of a test's own."""

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from django.conf import settings as current
from pytest_django import Settings

from faceswap_site import s3
from tests.parts import require

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SECONDS = 60
KEY = "tests/photo.jpg"
NOWHERE = {
    "AWS_STORAGE_BUCKET_NAME": "faces",
    "AWS_S3_ENDPOINT_URL": "https://s3.example.org",
    "AWS_S3_REGION_NAME": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "an-access-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
}


def use(settings: Settings, monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Make the server's bucket the store of the site; ``environment`` overrides its settings."""
    require("s3")
    ours = {
        name.removeprefix("TEST_"): value
        for name, value in os.environ.items()
        if name.startswith("TEST_AWS_")
    }
    use_bucket(settings, monkeypatch, **{**ours, **environment})


def use_bucket(settings: Settings, monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    """Make the bucket of this environment alone the store of the site, wherever it is."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")  # no test waits for a machine's role
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    store = s3.storage(os.environ["AWS_STORAGE_BUCKET_NAME"], SECONDS)
    settings.STORAGES = {**current.STORAGES, "default": store}


def at(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def client() -> "S3Client":
    """Return a plain boto3 client with the server's own keys."""
    return boto3.client(
        "s3",
        endpoint_url=require("s3"),
        region_name=os.environ["TEST_AWS_S3_REGION_NAME"],
        aws_access_key_id=os.environ["TEST_AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=os.environ["TEST_AWS_SECRET_ACCESS_KEY"],
    )


@contextlib.contextmanager
def own_bucket() -> Iterator[str]:
    """Create an empty bucket, yield its name, and delete it whatever its policy forbids."""
    name = f"test-{uuid.uuid4().hex}"
    boto = client()
    boto.create_bucket(Bucket=name)
    try:
        yield name
    finally:
        boto.delete_bucket_policy(Bucket=name)
        listed = boto.list_object_versions(Bucket=name)
        for entry in (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())):
            boto.delete_object(Bucket=name, Key=entry["Key"], VersionId=entry["VersionId"])
        boto.delete_bucket(Bucket=name)


def set_policy(bucket: str, effect: str, *actions: str) -> None:
    """Set a bucket policy for everybody, with and without keys."""
    statement = {
        "Effect": effect,
        "Principal": "*",
        "Action": list(actions),
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    client().put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
