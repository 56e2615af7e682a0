"""Every page: nothing refused by the policy, nothing from elsewhere, usable by everybody."""

from typing import Literal

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.findings import DESKTOP, PHONE, findings
from tests.e2e.visitor import Visitor
from tests.paths import NO_FACE, TARGET

STRANGERS_PAGES = (
    "/",
    "/try/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
)
MEMBERS_PAGES = (
    *("/", "/swaps/new/", "/swaps/", "/swaps/{done}/", "/swaps/{failed}/"),
    *("/swaps/faces/", "/batches/new/"),
    *("/accounts/email/", "/accounts/password/change/", "/accounts/logout/", "/nothing/here/"),
)


@pytest.fixture
def member(new_visitor: NewVisitor) -> Visitor:
    """Somebody with a refusal and a picture, for all tests that only look."""
    member = new_visitor("member", is_shared=True)
    if not member.swaps():
        member.wait_for(member.request_swap(NO_FACE, TARGET), "failed")
        member.wait_for(member.request_swap())
    member.expected = {404}  # one of the pages is the one for what is not there
    return member


def test_these_tests_notice_what_is_wrong(new_visitor: NewVisitor) -> None:
    visitor = new_visitor()
    page = visitor.open("/accounts/login/")
    with page.expect_event("console", lambda message: message.text == "the last"):
        page.evaluate("""async () => {
            document.body.setAttribute("style", "color: red");
            await fetch("https://elsewhere.example/").catch(() => 0);
            console.error("said");
            setTimeout(() => { throw new Error("thrown"); });
            setTimeout(() => console.log("the last"), 50);
            const main = document.querySelector("main");
            main.querySelector("label").remove();
            main.append(Object.assign(new Image(3000), {id: "main"}));
            main.append(document.createElement("button"));
            const pale = document.createElement("p");
            pale.textContent = "pale";
            pale.style.color = pale.style.backgroundColor = "#aaa";
            main.append(pale);
            main.querySelector("img").style.maxWidth = "none";
            main.lastElementChild.previousElementSibling.style.minWidth = "3000px";
        }""")
    found = findings(page)
    visitor.expected = {404}  # the icon that Chromium looks for beside a page without one
    page.goto(visitor.site.url.replace("127.0.0.1", "localhost") + "/healthz")
    noticed, visitor.wrongs = "\n".join(visitor.wrongs), []

    shown = ("style", "elsewhere.example", "console: said", "thrown", "another place: http://local")
    assert [text for text in shown if text not in noticed] == [], noticed
    about = ("sideways", "no label", "no alt", "twice: #main", "no name", "1.00:1")
    assert [text for text in about if text not in "\n".join(found)] == [], found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_in_good_order(
    new_visitor: NewVisitor,
    member: Visitor,
    size: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    found = {}
    stranger = new_visitor(viewport=size, color_scheme=scheme)
    for path in STRANGERS_PAGES:
        found[f"stranger {path}"] = findings(stranger.open(path))
    member.page.set_viewport_size(size)
    member.page.emulate_media(color_scheme=scheme)
    done, failed = member.swaps()[:2]
    for path in MEMBERS_PAGES:
        page = member.open(path.format(done=done, failed=failed))
        found[f"member {path}"] = findings(page)
    assert {path: what for path, what in found.items() if what} == {}


def test_light_and_dark_are_two_looks(new_visitor: NewVisitor) -> None:
    page = new_visitor().open("/")
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


@pytest.mark.parametrize("path", ["/", "/swaps/new/", "/swaps/", "/accounts/email/"])
def test_the_skip_link_comes_first_and_leads_to_the_content(member: Visitor, path: str) -> None:
    page = member.open(path)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_account_menu_works_by_keyboard(member: Visitor) -> None:
    page = member.open("/swaps/")
    summary = page.locator("details.menu summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_swap_can_be_requested_by_keyboard_alone(member: Visitor) -> None:
    page = member.open("/swaps/new/")
    page.locator("#id_source_image").focus()
    reached = []
    for _ in range(8):
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.type"))
        page.keyboard.press("Tab")
    assert [name for name in reached if name] == [
        "source_image",
        "button",  # the camera
        "target_image",
        "submit",
    ]
