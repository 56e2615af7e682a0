"""Fixtures of the network tests: ``start.test`` may be fetched from, this machine may not."""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from pytest_django import Settings

from tests.net.strangers import LOCAL, Sentinels
from tests.net_servers import serving, silent


@pytest.fixture(scope="module")
def sentinels() -> Iterator[Sentinels]:
    """Run servers at a free port, at 80 and 443 if this process may, on IPv6 if there is any."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving(silent))]
        for at, port in itertools.product((LOCAL, "::1"), (servers[0].port, 80, 443)):
            if (at, port) != (LOCAL, servers[0].port):
                try:
                    servers.append(stack.enter_context(serving(silent, at=at, port=port)))
                except OSError:
                    continue
        yield Sentinels(servers)


@pytest.fixture(autouse=True)
def _only_start_is_allowed(settings: Settings) -> None:
    settings.FACESWAP_FETCH_ALLOW = ["start.test"]
