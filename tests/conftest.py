"""Fixtures and markers of all tests: each has a media folder of its own."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pytest_django import Settings
from xdist.scheduler import LoadScopeScheduling

from tests import evidence

# The cast, for all tests that have no other one.
pytest_plugins = ("tests.cast", "tests.api_caller")

# A machine that is busy with something else makes no example wrong.
hypothesis.settings.register_profile("site", deadline=None)
hypothesis.settings.load_profile("site")


# Whose tests share one site, one Chromium or the machine: all of them run in one process, one after
# the other. (xdist's own groups do nothing under pytest 9.2: it no longer reads the changed ids.)
GROUPS = {
    "tests/circle/": "browser",
    "tests/e2e/": "browser",
    "tests/tools/test_demo_hosted.py": "browser",
    "tests/conformance/": "conformance",
    "tests/doors/": "doors",
    "tests/upgrade/": "upgrade",
    "tests/net/": "port 80",  # its servers listen there, to see that nobody comes
}


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return next((name for place, name in GROUPS.items() if nodeid.startswith(place)), nodeid)


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    return ByGroup(config, log)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "browser: drives headless Chromium (skipped without it)")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    evidence.begin(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        evidence.leave(item, report)
    return report


@pytest.fixture(autouse=True)
def _own_media(settings: Settings, tmp_path: Path) -> None:
    """Give each test a media folder of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
