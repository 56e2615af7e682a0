"""The full circle: a site, a second one that is its hosted provider, and a real S3 server.

Chromium, visitors and their order come from ``tests/e2e/conftest.py``. As there, the tests talk to
the sites over HTTP only.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import alice, browser, chromium, new_visitor, pytest_itemcollected, shared
from tests.receiver import Receiver, receiving
from tests.running import free_port
from tests.running_site import RunningSite, running_site
from tests.s3_server import own_bucket

__all__ = ("alice", "browser", "chromium", "new_visitor", "pytest_itemcollected", "shared")

S3 = "TEST_AWS_S3_ENDPOINT_URL"


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The ports of the two sites, each of which must know the other's."""

    site: int = field(default_factory=free_port)
    provider: int = field(default_factory=free_port)


@pytest.fixture(scope="package")
def ports() -> Ports:
    return Ports()


@pytest.fixture(scope="package")
def receiver() -> Iterator[Receiver]:
    """Run a customer's server, which the provider may fetch from as well."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="package")
def provider(
    ports: Ports, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    """Run the site that is the provider: its own engine and database, its pictures on disk."""
    allowed = [f"127.0.0.1:{ports.site}", f"127.0.0.1:{receiver.server_port}"]
    if bucket_is_at := urlsplit(os.environ.get(S3, "")).netloc:
        allowed.append(bucket_is_at)
    environment = {
        "AWS_STORAGE_BUCKET_NAME": "",
        "FACESWAP_FETCH_ALLOW": ", ".join(allowed),
        "FACESWAP_LEASE_SECONDS": "8",  # what a crash cut off goes on after so long
        "FACESWAP_PROVIDER": "embedded",
        "SECRET_KEY": "",
    }
    with running_site(
        tmp_path_factory.mktemp("provider"), port=ports.provider, environment=environment
    ) as provider:
        yield provider


@pytest.fixture(scope="package")
def key(provider: RunningSite) -> str:
    made = provider.manage("create_api_key", "site@example.com", "--create", "--quota", "1000")
    return made.strip()


@pytest.fixture(scope="package")
def bucket() -> Iterator[str]:
    with own_bucket() as name:
        yield name


@pytest.fixture(scope="package")
def environment(chromium: str, bucket: str, provider: RunningSite, key: str) -> dict[str, str]:
    """Return the settings of the site; skip the test where a part of the circle is missing."""
    s3 = {
        name.removeprefix("TEST_"): value
        for name, value in os.environ.items()
        if name.startswith("TEST_AWS_")
    }
    return s3 | {
        "AWS_STORAGE_BUCKET_NAME": bucket,
        "FACESWAP_HOSTED_KEY": key,
        "FACESWAP_HOSTED_URL": provider.url,
        "FACESWAP_HOSTED_PAUSE_SECONDS": "2",
        "FACESWAP_HOSTED_RESULT_HOSTS": urlsplit(provider.url).netloc,
        "FACESWAP_PROVIDER": "hosted",
        "SECRET_KEY": "",
    }


@pytest.fixture(scope="package")
def site(
    environment: dict[str, str], ports: Ports, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningSite]:
    with running_site(
        tmp_path_factory.mktemp("site"), port=ports.site, environment=environment
    ) as site:
        yield site
