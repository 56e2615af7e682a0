"""Optional parts of a machine: browser, databases, brokers, object storage, proxy, languages.

A test that needs one says ``require("chromium")`` and is skipped by name where it is missing; with
``REQUIRE_ALL=1`` (in CI) the missing part is a failure, unless ``MAY_LACK`` (comma-separated) names
it.
"""

import os
import shutil
import socket
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests import small_disk

# For tests that take long and have nothing to do with the database: they run on SQLite only.
on_one_database = pytest.mark.skipif(
    os.environ.get("TEST_ON") == "postgresql", reason="SKIPPED: the same on SQLite, and run there"
)
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_path() -> str | None:
    """Return the path of the browser: ``CHROMIUM``, or the first known name on the PATH."""
    names = (os.environ.get("CHROMIUM", ""), *CHROMIUM)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def require(part: str) -> str:
    """Return the path or address of a part; skip or fail the test where it is missing."""
    found, missing = PARTS[part]()
    if found:
        return found
    reason = f"SKIPPED: {missing}"
    if is_required(part):
        pytest.fail(f"REQUIRE_ALL=1, but there is no {missing}", pytrace=False)
    pytest.skip(reason)


def is_required(part: str) -> bool:
    may_lack = os.environ.get("MAY_LACK", "").split(",")
    return os.environ.get("REQUIRE_ALL") == "1" and part not in may_lack


def can_reach(url: str) -> bool:
    address = urlsplit(url)
    try:
        with socket.create_connection((address.hostname or "127.0.0.1", address.port or 80), 2):
            return True
    except OSError:
        return False


def _chromium() -> tuple[str | None, str]:
    return chromium_path(), "Chromium (not on the PATH; CHROMIUM names another place)"


def _server(name: str, variable: str, default: str) -> Callable[[], tuple[str | None, str]]:
    def look() -> tuple[str | None, str]:
        url = os.environ.get(variable, default)
        if url and can_reach(url):
            return url, ""
        if not url:
            return None, f"{name} (set {variable})"
        address = urlsplit(url)
        place = f"{address.hostname}:{address.port}"
        return None, f"{name} (not reachable at {place}; {variable} names another place)"

    return look


def _program(name: str, language: str) -> Callable[[], tuple[str | None, str]]:
    return lambda: (shutil.which(name), f"{language} ({name} is not on the PATH)")


def _small_disk() -> tuple[str | None, str]:
    found = "tmpfs" if small_disk.can_be_made() else None
    return found, "small disk (a tmpfs cannot be mounted: Linux, as root)"


PARTS: dict[str, Callable[[], tuple[str | None, str]]] = {
    "chromium": _chromium,
    "postgresql": _server(
        "PostgreSQL", "TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/test"
    ),
    "redis": _server("Redis", "TEST_REDIS_URL", "redis://127.0.0.1:6379/0"),
    "rabbitmq": _server("RabbitMQ", "TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "small-disk": _small_disk,
    "s3": _server("S3", "TEST_AWS_S3_ENDPOINT_URL", ""),
    "nginx": _program("nginx", "a proxy"),
    "openssl": _program("openssl", "certificates"),
    "curl": _program("curl", "cURL"),
    "node": _program("node", "JavaScript"),
    "javac": _program("javac", "Java"),
    "go": _program("go", "Go"),
    "php": _program("php", "PHP"),
}


if __name__ == "__main__":  # for the Makefile: 0 when the part is there, 75 to go on without it
    _found, _missing = PARTS[sys.argv[1]]()
    if not _found:
        _is_required = is_required(sys.argv[1])
        _said = "REQUIRE_ALL=1, but there is no" if _is_required else "SKIPPED:"
        print(f"{_said} {_missing}", file=sys.stderr)  # noqa: T201
        sys.exit(1 if _is_required else 75)
