"""Parts that a machine may lack: browser, databases, brokers, object storage.

A test that needs one says ``require("chromium")`` and is skipped by name where it is missing;
with ``REQUIRE_ALL=1`` (in CI) the missing part is a failure.
"""

import os
import shutil
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_path() -> str | None:
    """Where the browser is: ``CHROMIUM``, or the first known name on the PATH."""
    names = (os.environ.get("CHROMIUM", ""), *CHROMIUM)
    return next((path for name in names if name and (path := shutil.which(name))), None)


def require(part: str) -> str:
    """What is needed to use this part (a path or an address); otherwise the test ends here."""
    found, missing = PARTS[part]()
    if found:
        return found
    reason = f"SKIPPED PART: {missing}"
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason.replace("SKIPPED PART", "REQUIRE_ALL=1, but"), pytrace=False)
    pytest.skip(reason)


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
        place = f"not reachable at {urlsplit(url).hostname}" if url else "no address"
        return None, f"{name} ({place}; set {variable})"

    return look


PARTS: dict[str, Callable[[], tuple[str | None, str]]] = {
    "chromium": _chromium,
    "postgresql": _server(
        "PostgreSQL", "TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/test"
    ),
    "redis": _server("Redis", "TEST_REDIS_URL", "redis://127.0.0.1:6379/0"),
    "rabbitmq": _server("RabbitMQ", "TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672//"),
    "s3": _server("S3", "TEST_S3_ENDPOINT_URL", ""),
}
