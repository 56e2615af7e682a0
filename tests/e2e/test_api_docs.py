"""The documentation of the API in a browser: acquire a key, run calls, watch callbacks arrive."""

import json
import re
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import FilePayload, Locator, Page, ViewportSize, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.findings import DESKTOP, PHONE, findings
from tests.e2e.visitor import PASSWORD, Visitor
from tests.paths import NO_FACE, SOURCE
from tests.running_site import RunningSite

DOCS = "/docs/api/"
LANGUAGES = ("cURL", "Python", "JavaScript", "Java", "Go", "PHP")


@dataclass(frozen=True, kw_only=True)
class Developer:
    """Somebody with a key."""

    visitor: Visitor
    key: str

    @property
    def page(self) -> Page:
        return self.visitor.page

    def open(self) -> Page:
        page = self.visitor.open(DOCS)
        page.get_by_label("Your key").fill(self.key)
        return page

    def run(self) -> Locator:
        """The answer, once it is there; not the one of an earlier run."""
        expect(self.page.get_by_role("button", name="Run")).to_be_visible()
        with self.page.expect_response("**/face/swap"):
            self.page.get_by_role("button", name="Run").click()
        answer = self.page.locator("#answer")
        expect(answer.locator("[data-status]")).not_to_be_empty()
        return answer


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    """The key of the shared account: it is shown once."""
    return {}


@pytest.fixture
def developer(new_visitor: NewVisitor, keys: dict[str, str]) -> Developer:
    visitor = new_visitor("developer", is_shared=True)
    if visitor.email not in keys:
        shown = visitor.post("/api/acquire/", DOCS).text()
        [keys[visitor.email]] = re.findall(r'id="token">(fs_[\w-]+)<', shown)
    return Developer(visitor=visitor, key=keys[visitor.email])


def choose(page: Page, way: str) -> None:
    page.locator(".ways").get_by_text(way, exact=True).click()


def is_shown(picture: Locator) -> bool:
    expect(picture).to_be_visible()
    shown: bool = picture.evaluate(
        "image => image.decode().then(() => image.naturalWidth > 100, () => false)"
    )
    return shown


def task_in(answer: Locator) -> str:
    task: str = json.loads(answer.locator("pre").inner_text())["task_id"]
    return task


def test_acquire_leads_over_the_sign_up_back_to_the_page_and_to_a_first_picture(
    new_visitor: NewVisitor,
) -> None:
    visitor = new_visitor()
    page = visitor.open(DOCS)
    expect(page.get_by_text("20 swaps are free")).to_be_visible()
    visitor.follow(page.get_by_role("button", name="Acquire"))
    visitor.follow(page.get_by_role("main").get_by_role("link", name="Sign up"))
    page.get_by_label("Email").fill("dora@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    visitor.follow(page.get_by_role("button", name="Sign up"))
    visitor.follow(page.get_by_role("link", name="Go on"))
    expect(page).to_have_url(f"{visitor.site.url}{DOCS}")

    visitor.follow(page.get_by_role("button", name="Acquire"))
    key = page.locator("#token").inner_text()
    page.goto(f"{visitor.site.url}{DOCS}")
    expect(page.get_by_role("link", name="Your keys")).to_be_visible()
    expect(page.locator("#request-curl")).to_contain_text(f"Bearer {key[:9]}...")

    answer = Developer(visitor=visitor, key=key)
    answer.open()
    shown = answer.run()
    expect(shown.locator("[data-status]")).to_have_text("200 OK")
    expect(shown.locator("[data-left]")).to_have_text("19 left")
    expect(page.locator("[data-quota]")).to_have_text("19")
    assert is_shown(shown.get_by_role("img", name="The result"))
    shown.get_by_text("Headers").click()
    for header in ("x-trace-id", "x-ratelimit-remaining", "x-quota-remaining"):
        expect(shown.locator("dt", has_text=header)).to_be_visible()
    message = json.loads(shown.locator("pre").inner_text())
    assert message["success"] is True
    assert message["image_size"] > 1000


def test_a_key_goes_into_the_header_of_the_call_and_nowhere_else(developer: Developer) -> None:
    page = developer.open()
    page.get_by_label("URL of another source").fill(
        f"{developer.visitor.site.url}/samples/2-face.jpg"
    )
    developer.run()
    stored = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert developer.key not in stored
    carried = []
    for request in developer.visitor.requests:
        assert developer.key not in request.url
        assert developer.key not in (request.post_data or "")
        headers = request.all_headers()
        if any(developer.key in value for value in headers.values()):
            carried.append((request.url, headers["authorization"]))
            assert "cookie" not in headers
    assert carried == [(f"{developer.visitor.site.url}/face/swap", f"Bearer {developer.key}")]


def test_a_callback_arrives_live_with_a_right_signature(developer: Developer) -> None:
    page = developer.open()
    page.evaluate("document.body.dataset.same = 'page'")
    choose(page, "Call me back")
    answer = developer.run()
    task = task_in(answer)

    arrival = page.locator("#inspector details", has_text=task)
    expect(arrival).to_have_attribute("open", "")
    expect(arrival.get_by_text("The signature is right")).to_be_visible()
    expect(arrival.locator("dt", has_text="webhook-signature")).to_be_visible()
    assert is_shown(arrival.get_by_role("img", name="The result"))
    expect(page.locator("#inspector")).not_to_have_attribute("hx-trigger", re.compile("."))
    expect(page.locator("body")).to_have_attribute("data-same", "page")


def test_a_task_is_asked_for_until_it_is_finished(developer: Developer, site: RunningSite) -> None:
    page = developer.open()
    choose(page, "Ask for it")
    with site.resting_worker():
        answer = developer.run()
        expect(answer.locator("pre")).not_to_contain_text("image_url")
        answer.get_by_role("button", name="Ask /face/tasks").click()
        expect(page.locator("#task pre")).to_contain_text('"status": "queued"')
    developer.visitor.wait_for(task_in(answer))
    page.locator("#task").get_by_role("button", name="Ask again").click()
    expect(page.locator("#task pre")).to_contain_text("succeeded")
    assert is_shown(page.locator("#task").get_by_role("img", name="The result"))


def test_errors_are_shown_and_explained(developer: Developer) -> None:
    developer.visitor.expected = {400, 401}
    page = developer.open()
    page.get_by_label("timeout").fill("-1")
    expect(page.locator("#request .wrong")).to_contain_text("greater than 0")
    answer = developer.run()
    expect(answer.locator("[data-status]")).to_have_text("400 Bad Request")
    expect(answer.locator("pre")).to_contain_text("timeout: Input should be greater than 0")
    answer.get_by_role("link", name="bad_request").click()
    expect(page.locator("#error-bad_request")).to_be_in_viewport()

    page.get_by_label("Your key").fill("fs_wrong")
    answer = developer.run()
    expect(answer.locator("[data-status]")).to_have_text("401 Unauthorized")
    expect(answer.get_by_role("link", name="invalid_token")).to_be_visible()


def test_a_call_that_waits_can_be_stopped(developer: Developer, site: RunningSite) -> None:
    page = developer.open()
    with site.resting_worker():
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("heading", name="Waiting")).to_be_visible()
        expect(page.locator("#answer .waiting img")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#answers")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Run")).to_be_visible()


def test_without_a_key_nothing_is_sent(developer: Developer) -> None:
    page = developer.open()
    for text, message in (("", "Paste your key first."), ("fs_7Kd2a…", "This is no key")):
        page.get_by_label("Your key").fill(text)
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_role("alert")).to_contain_text(message)
        expect(page.get_by_label("Your key")).to_be_focused()
    assert not [each for each in developer.visitor.requests if "/face/" in each.url]


def test_an_upload_becomes_the_source_of_the_next_call(developer: Developer) -> None:
    developer.visitor.expected = {400}
    page = developer.open()
    page.locator("#file-source").set_input_files(SOURCE)
    url = page.get_by_label("URL of another source")
    expect(url).to_have_value(re.compile("/files/"))
    expect(page.locator("[data-sample-of=source]:checked")).to_have_count(0)
    expect(page.locator("#request-python")).to_contain_text("/files/")
    assert is_shown(developer.run().get_by_role("img", name="The result"))

    first = url.input_value()
    page.locator("#file-source").set_input_files(NO_FACE)
    expect(url).not_to_have_value(first)
    expect(url).to_have_value(re.compile("/files/"))
    answer = developer.run()
    expect(answer.get_by_role("link", name="no_face")).to_be_visible()

    broken: FilePayload = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}
    page.locator("#file-target").set_input_files(broken)
    expect(page.locator("#place-target .wrong")).to_be_visible()


def test_the_request_follows_what_is_typed(developer: Developer) -> None:
    page = developer.open()
    url = page.get_by_label("URL of another target")
    url.press_sequentially("https://a.test/'\"$x", delay=10)
    expect(page.locator("#request-curl")).to_contain_text("https://a.test/'\\''\\\"$x")
    expect(page.locator("[data-sample-of=target]:checked")).to_have_count(0)
    expect(url).to_be_focused()
    page.get_by_alt_text("A man in a white shirt").click()
    expect(url).to_have_value("")
    expect(page.locator("#request-curl")).to_contain_text("2-photo.jpg")
    page.get_by_label("Idempotency-Key").fill("order 66")
    expect(page.locator("#request-curl")).to_contain_text("idempotency-key: order 66")


def test_a_language_is_chosen_by_keyboard_for_all_samples_and_remembered(
    new_visitor: NewVisitor,
) -> None:
    page = new_visitor().open(DOCS)
    expect(page.locator(".samples pre:visible")).to_have_count(4)
    page.locator("#tasks").get_by_role("radio", name="cURL").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    for _ in range(2):
        expect(page.get_by_role("radio", name="JavaScript", checked=True)).to_have_count(4)
        visible = page.locator(".samples pre:visible")
        expect(visible).to_have_count(4)
        assert all("await fetch" in text for text in visible.all_inner_texts())
        page.reload()


def test_a_visitor_reads_everything_and_is_told_what_signing_in_adds(
    new_visitor: NewVisitor, developer: Developer
) -> None:
    visitor = new_visitor()
    page = visitor.open(DOCS)
    expect(
        page.get_by_text("to upload your own, and to watch callbacks arrive here")
    ).to_be_visible()
    expect(page.locator("#inspector")).to_have_count(0)
    expect(page.locator("input[type=file]")).to_have_count(0)
    choose(page, "Call me back")
    expect(page.locator("#request-curl")).to_contain_text("https://example.com/callbacks")

    visitor.follow(page.locator("#try").get_by_role("link", name="Sign in"))
    visitor.email = developer.visitor.email
    visitor.fill_in_sign_in()
    expect(page).to_have_url(f"{visitor.site.url}{DOCS}#try")
    expect(page.locator("#inspector")).to_be_visible()


def test_on_a_narrow_phone_nothing_scrolls_sideways(
    developer: Developer,
) -> None:
    developer.page.set_viewport_size({"width": 360, "height": 740})
    page = developer.open()
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) == 0
    for language in LANGUAGES:
        page.locator("#try .languages").get_by_text(language, exact=True).click()
        assert page.evaluate(wide) == 0, language
    choose(page, "Call me back")
    developer.run()
    expect(page.locator("#inspector .verdict").first).to_be_visible()
    assert page.evaluate(wide) == 0


def test_without_scripts_the_samples_say_what_was_chosen(new_visitor: NewVisitor) -> None:
    visitor = new_visitor(java_script_enabled=False)
    page = visitor.open(DOCS)
    expect(page.get_by_role("button", name="Run")).to_be_hidden()
    page.locator("#place-source").get_by_alt_text("A young man in a denim jacket").click()
    choose(page, "Ask for it")
    page.locator("#try .languages").get_by_text("PHP", exact=True).click()
    visitor.follow(page.get_by_role("button", name="Show the request"))
    shown = page.locator("#request-php")
    expect(shown).to_be_visible()
    expect(shown).to_contain_text("/samples/3-face.jpg")
    expect(shown).to_contain_text('"async" => true')
    expect(page.locator(".samples pre:visible")).to_have_count(4)


def test_without_scripts_an_upload_becomes_a_url(
    new_visitor: NewVisitor, developer: Developer
) -> None:
    page = new_visitor("developer", is_shared=True, java_script_enabled=False).open(DOCS)
    page.locator("#file-target").set_input_files(SOURCE)
    page.locator("#place-target").get_by_role("button", name="Upload", exact=True).click()
    expect(page).to_have_url(re.compile(r"\?.*target=.*#try$"))
    expect(page.locator("#request-curl")).to_contain_text("/files/")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_page_is_in_good_order(
    new_visitor: NewVisitor,
    developer: Developer,
    size: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    stranger = new_visitor(viewport=size, color_scheme=scheme)
    assert findings(stranger.open(DOCS)) == []
    developer.page.set_viewport_size(size)
    developer.page.emulate_media(color_scheme=scheme)
    page = developer.open()
    choose(page, "Call me back")
    developer.run()
    expect(page.locator("#inspector .verdict").first).to_be_visible()
    assert findings(page) == []
