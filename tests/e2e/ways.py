"""Steps that a person takes at the site, used by several browser tests."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.visitor import PASSWORD, Visitor

LOADED = """() => [...document.querySelectorAll("main img")]
    .every(image => image.complete && image.naturalWidth > 0)"""


def sign_up(visitor: Visitor, email: str) -> None:
    page = visitor.open("/")
    visitor.follow(page.get_by_role("link", name="Sign up"))
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    visitor.follow(page.get_by_role("button", name="Sign up"))
    visitor.follow(page.get_by_role("link", name="Go on"))
    expect(page.get_by_role("heading", name="New swap")).to_be_visible()


def choose(page: Page, source: Path | None, target: Path | None) -> None:
    if source:
        page.locator("#id_source_image").set_input_files(source)
    if target:
        page.locator("#id_target_image").set_input_files(target)


def submit(page: Page) -> None:
    """Confirm, unless that is done already, and go to the page of the swap."""
    consent = page.locator("#id_consent")
    if consent.count():
        consent.check()
    with page.expect_navigation():
        page.get_by_role("button", name="Swap faces").click()


def download(page: Page, name: str) -> bytes:
    with page.expect_download() as started:
        page.get_by_role("link", name=name, exact=True).click()
    return started.value.path().read_bytes()
