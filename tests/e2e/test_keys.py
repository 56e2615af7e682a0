"""Keys and callbacks as a person meets them: acquired, copied, made, rotated, revoked, replayed."""

import re
from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.findings import findings
from tests.e2e.visitor import PASSWORD, Visitor

KEYS = "/api/keys/"
TOKEN = re.compile(r"^fs_[\w-]{43}$")
PHONE: ViewportSize = {"width": 360, "height": 740}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
NOWHERE = "https://receiver.invalid/faces"  # a name that leads nowhere, by RFC 6761


@pytest.fixture
def kim(new_visitor: NewVisitor) -> Visitor:
    """Somebody with access, shared by tests that ask about keys of their own."""
    kim = new_visitor("kim", is_shared=True)
    kim.post("/api/acquire/", KEYS)
    return kim


def token_on(page: Page) -> str:
    token = page.locator("#token")
    expect(token).to_have_text(TOKEN)
    return token.inner_text()


def make_key(page: Page, name: str) -> str:
    page.get_by_label("Name").fill(name)
    with page.expect_navigation():
        page.get_by_role("button", name="Make a key").click()
    return token_on(page)


def calls(visitor: Visitor, token: str, **body: object) -> int:
    """The HTTP status of a call with this key: asking for a task of nobody's."""
    path = "/face/swap" if body else "/face/tasks"
    answer = visitor.context.request.post(
        f"{visitor.site.url}{path}",
        headers={"authorization": f"Bearer {token}"},
        data=body or {"id": "00000000-0000-4000-8000-000000000000", "action": "retrieve"},
    )
    return answer.status


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_acquiring_leads_over_the_sign_up_and_back_to_a_key_that_works(
    new_visitor: NewVisitor, scripts: bool
) -> None:
    visitor = new_visitor(java_script_enabled=scripts)
    page = visitor.open("/")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="API").click()
    expect(page).to_have_url(re.compile("/docs/api/$"))
    visitor.follow(page.get_by_role("button", name="Acquire").first)
    visitor.follow(page.get_by_role("main").get_by_role("link", name="Sign up"))
    page.get_by_label("Email").fill(f"acquirer-{scripts}@example.com".lower())
    page.get_by_label("Password").fill(PASSWORD)
    visitor.follow(page.get_by_role("button", name="Sign up"))
    visitor.follow(page.get_by_role("link", name="Go on"))

    expect(page).to_have_url(re.compile("/docs/api/$"))
    visitor.follow(page.get_by_role("button", name="Acquire").first)

    token = token_on(page)
    expect(page.locator("#curl")).to_contain_text(token)
    assert calls(visitor, token) == 404  # the key is good; there is no such task
    visitor.follow(page.get_by_role("link", name="Your keys"))
    expect(page.get_by_role("heading", name="First key")).to_be_visible()
    expect(page.get_by_text("20 of 20 left")).to_be_visible()
    assert token not in page.content()


@pytest.mark.parametrize("path", [KEYS, "/docs/api/"])
def test_a_double_click_on_acquire_still_shows_the_key(new_visitor: NewVisitor, path: str) -> None:
    """The second of two requests would be answered with "You have access already."."""
    visitor = new_visitor("hasty")
    page = visitor.open(path)
    slow = {"offline": False, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1}
    visitor.context.new_cdp_session(page).send("Network.emulateNetworkConditions", slow)
    page.get_by_role("button", name="Acquire").first.evaluate(
        "button => { button.click(); setTimeout(() => button.click(), 100); }"
    )
    assert token_on(page)


def test_what_is_copied_is_the_key_and_the_button_says_so(
    new_visitor: NewVisitor, kim: Visitor
) -> None:
    kim.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = kim.open(KEYS)
    token = make_key(page, "Copied")
    button = page.get_by_role("button", name="Copy the key")
    button.click()
    expect(button).to_have_text("Copied")
    expect(page.get_by_role("status").filter(has_text="Copied")).to_have_count(1)
    assert page.evaluate("navigator.clipboard.readText()") == token
    expect(button).to_have_text("Copy")

    stranger = new_visitor(java_script_enabled=False)
    page = stranger.open("/docs/api/")
    expect(page.locator("[data-copy]:visible")).to_have_count(0)


def test_a_key_is_made_rotated_and_revoked(kim: Visitor) -> None:
    page = kim.open(KEYS)
    last_day = page.get_by_label("Last day")
    expect(last_day).to_be_hidden()
    page.get_by_label("Ends").select_option("On a date…")
    expect(last_day).to_be_visible()
    page.get_by_label("Ends").select_option("In 90 days")
    page.get_by_label("May be used for").select_option("Asking for tasks")
    first = make_key(page, "Laptop")
    assert calls(kim, first) == 404
    assert calls(kim, first, source_image_url="x", target_image_url="x") == 400

    kim.follow(page.get_by_role("link", name="Your keys"))
    key = page.locator(".key").filter(has_text="Laptop")
    expect(key.locator(".state")).to_have_text("Works")
    key.get_by_text("Rotate or revoke…").click()
    key.get_by_label("This one").select_option("ends at once")
    kim.follow(key.get_by_role("button", name="Rotate"))
    second = token_on(page)
    assert second != first
    assert (calls(kim, first), calls(kim, second)) == (401, 404)

    kim.follow(page.get_by_role("link", name="Your keys"))
    expect(key.filter(visible=True)).to_have_count(1)  # the other one has ended
    key.filter(visible=True).get_by_text("Rotate or revoke…").click()
    kim.follow(key.filter(visible=True).get_by_role("button", name="Revoke for good"))
    expect(page.get_by_text("“Laptop” is revoked.")).to_be_visible()
    assert calls(kim, second) == 401
    page.get_by_text("Ended keys").click()
    expect(key.filter(has_text="Revoked")).to_be_visible()


def test_keys_can_be_made_and_revoked_by_keyboard_alone(kim: Visitor) -> None:
    page = kim.open(KEYS)
    page.get_by_label("Name").focus()
    page.keyboard.type("Typed")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    token_on(page)
    page.get_by_role("link", name="Your keys").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    key = page.locator(".key").filter(has_text="Typed")
    key.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(key.get_by_role("button", name="Revoke for good")).to_be_visible()
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert [text for text in reached if text in {"Rotate", "Revoke for good"}] == [
        "Rotate",
        "Revoke for good",
    ]
    page.keyboard.press("Enter")
    expect(page.get_by_text("“Typed” is revoked.")).to_be_visible()


def test_the_secret_is_shown_when_asked_for_and_rotated(kim: Visitor) -> None:
    page = kim.open(KEYS)
    secret = page.locator("#secret")
    expect(secret).to_be_hidden()
    page.get_by_text("Show the secret").click()
    expect(secret).to_have_text(re.compile("^whsec_"))
    old = secret.inner_text()
    page.get_by_text("Rotate the secret…").click()
    kim.follow(page.locator(".callback-secret").get_by_role("button", name="Rotate"))
    expect(page.get_by_text("There is a new secret.")).to_be_visible()
    page.get_by_text("Show the secret").click()
    expect(secret).not_to_have_text(old)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_pages_are_in_good_order(
    new_visitor: NewVisitor, kim: Visitor, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    found = {}
    kim.page.set_viewport_size(size)
    kim.page.emulate_media(color_scheme=scheme)
    for path in (KEYS, "/api/deliveries/"):
        page = kim.open(path)
        for summary in page.locator("main summary:visible").all():
            summary.click()
        found[path] = findings(page)
    make_key(kim.open(KEYS), f"{scheme} {size['width']}")
    found["the key"] = findings(kim.page)
    kim.expected = {422}
    page = kim.open(KEYS)
    page.get_by_label("Name").fill("Without a day")
    page.get_by_label("Ends").select_option("On a date…")
    kim.follow(page.get_by_role("button", name="Make a key"))
    expect(page.get_by_text("Choose the last day on which the key works.")).to_be_visible()
    found["a refusal"] = findings(page)
    stranger = new_visitor("without", is_shared=True, viewport=size, color_scheme=scheme)
    found["without access"] = findings(stranger.open(KEYS))
    assert {path: what for path, what in found.items() if what} == {}


def test_a_callback_is_followed_live_and_replayed(kim: Visitor) -> None:
    token = make_key(kim.open(KEYS), "Calls back")
    samples = f"{kim.site.url}/samples/1"
    answer = kim.context.request.post(
        f"{kim.site.url}/face/swap",
        headers={"authorization": f"Bearer {token}"},
        data={
            "source_image_url": f"{samples}-face.jpg",
            "target_image_url": f"{samples}-photo.jpg",
            "callback_url": NOWHERE,
        },
    )
    task = answer.json()["task_id"]
    kim.wait_for(task)
    page = kim.open("/swaps/")
    expect(page.locator(f"#swap-{task}")).to_contain_text("API")
    kim.follow(page.locator(f"#open-{task}"))
    expect(page.locator("#task")).to_have_text(task)
    kim.follow(page.get_by_role("link", name="Pending"))

    page.evaluate("document.body.dataset.same = 'page'")
    attempts = page.locator(".attempts li")
    expect(attempts).to_have_count(2)  # the second after 5 to 6 seconds
    expect(page.locator("body")).to_have_attribute("data-same", "page")
    kim.follow(page.get_by_role("button", name="Replay"))
    expect(page.get_by_text("It is sent once more, now.")).to_be_visible()
    expect(attempts).to_have_count(3)

    page = kim.open("/api/deliveries/")
    row = page.locator(".log li").filter(has_text=NOWHERE)
    expect(row).to_contain_text("Pending")
    kim.follow(row.get_by_role("link"))
    expect(page.locator("#payload")).to_contain_text(task)
