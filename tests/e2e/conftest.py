"""Fixtures of the browser tests: one running site, one Chromium, any number of visitors.

Both live as long as this package's tests, not the whole session: Playwright's event loop runs in
this thread, and Django refuses its ORM there. So these tests talk to the site over HTTP only.
"""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, StorageState, expect, sync_playwright

from tests import evidence
from tests.e2e.visitor import MAX_WAIT_MS, Visitor
from tests.parts import require
from tests.running_site import RunningSite, running_site

NewVisitor = Callable[..., Visitor]

expect.set_options(timeout=MAX_WAIT_MS)

# For each window Chromium loads two pages of its own, to suggest addresses, and keeps a process
# for the page that may be next: half of what a visitor costs. Of several --disable-features the
# last one counts, and Playwright has one.
LAUNCHER = """#!/bin/sh
for argument; do
    case "$argument" in
        --disable-features=*)
            argument="$argument,WebUIOmniboxPopup,WebUIOmniboxAimPopup"
            argument="$argument,SpareRendererForSitePerProcess" ;;
    esac
    shift
    set -- "$@" "$argument"
done
exec '{chromium}' "$@"
"""


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> str:
    return require("chromium")


@pytest.fixture(scope="package")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="package")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    home = tmp_path_factory.mktemp("home")
    launcher = home / "chromium"
    launcher.write_text(LAUNCHER.format(chromium=chromium), encoding="utf-8")
    launcher.chmod(0o700)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=launcher,
            args=["--no-sandbox", "--disable-dev-shm-usage"],
            env={**os.environ, "HOME": str(home)},
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def shared() -> dict[str, tuple[str, StorageState]]:
    """Return e-mail and cookies of accounts that tests share: a sign-up is slow, and limited."""
    return {}


@pytest.fixture
def new_visitor(
    site: RunningSite,
    browser: Browser,
    shared: dict[str, tuple[str, StorageState]],
    request: pytest.FixtureRequest,
) -> Iterator[NewVisitor]:
    """Return a function that makes visitors, and check at the end that none had an error."""
    visitors: list[Visitor] = []

    def make(name: str = "", *, is_shared: bool = False, **options: Any) -> Visitor:
        """Return a visitor who is signed up under this name, or a stranger without one.

        A shared account is the same in all tests that ask for it; each has its own browser.
        """
        email = ""
        if is_shared and name in shared:
            email, options["storage_state"] = shared[name]
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options}
        visitor = Visitor(site, browser.new_context(**options))
        visitor.email = email
        visitors.append(visitor)
        if name and not email:
            visitor.sign_up(name)
        if is_shared:
            shared[name] = visitor.email, visitor.context.storage_state()
        return visitor

    yield make
    wrongs = [wrong for visitor in visitors for wrong in visitor.wrongs]
    if wrongs:
        evidence.photograph(request.node)
    for visitor in visitors:
        visitor.context.close()
    assert wrongs == []


@pytest.fixture
def alice(new_visitor: NewVisitor) -> Visitor:
    """Return a visitor with the shared account; tests use swaps of their own in it."""
    return new_visitor("alice", is_shared=True)


@pytest.fixture
def newcomer(new_visitor: NewVisitor) -> Visitor:
    """Return a visitor with an account of this test's own; sign-ups are limited to 20 a minute."""
    return new_visitor("newcomer")
