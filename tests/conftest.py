"""Fixtures and markers of all tests: each has a media folder of its own."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from pytest_django import Settings
from xdist.scheduler import LoadScopeScheduling

from tests import evidence
from tests.parts import on_one_database

# The cast, for all tests that have no other one.
pytest_plugins = ("tests.cast", "tests.api_caller")

# A machine that is busy with something else makes no example wrong.
hypothesis.settings.register_profile("site", deadline=None)
hypothesis.settings.load_profile("site")


# Whose tests share one site, one Chromium or the machine: all of them run in one process, one after
# the other. (xdist's own groups do nothing under pytest 9.2: it no longer reads the changed ids.)
# The longest come first, so that no process is left with one of them at the end; the browser tests
# are the longest of all, so they are three groups, with a site and a Chromium each.
GROUPS = (
    "tests/e2e/test_axe.py",
    "tests/e2e/test_api_docs.py",
    "tests/e2e/",
    "tests/conformance/test_schemathesis.py",
    "tests/conformance/",
    "tests/circle/",
    "tests/doors/",
    "tests/tools/test_demo_hosted.py",
    "tests/upgrade/",
    "tests/net/",  # its servers listen at port 80, to see that nobody comes
)


# What these test knows no database: on PostgreSQL they are not run once more.
WITHOUT_DATABASE = (
    "tests/bench/",
    "tests/checks/",
    "tests/engines/",
    "tests/images/",
    "tests/net/",
    "tests/tools/",
    "tests/test_architecture.py",
    "tests/test_docs.py",
    "tests/test_messages.py",
)


def group_of(nodeid: str) -> int:
    """Return the number of a test's group; that after the last one for a test by itself."""
    places = (number for number, place in enumerate(GROUPS) if nodeid.startswith(place))
    return next(places, len(GROUPS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Groups come first. (Tests that commit stay last, where pytest-django has put them.)"""
    items.sort(key=lambda item: group_of(item.nodeid))
    for item in items:
        if item.nodeid.startswith(WITHOUT_DATABASE):
            item.add_marker(on_one_database)


class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    def _split_scope(self, nodeid: str) -> str:
        return [*GROUPS, nodeid][group_of(nodeid)]


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByGroup:
    config.option.loadscopereorder = False  # it would sort by the number of tests
    return ByGroup(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores, for ``-n auto``: many tests wait for another process."""
    return (os.cpu_count() or 1) + 1


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
