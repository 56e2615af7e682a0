"""The history lives while something is unfinished, asks no more than it must, and is quiet then."""

import re

from playwright.sync_api import Response, expect

from tests.e2e.visitor import Visitor

LOOK_AWAY = """() => {
  Object.defineProperty(document, "hidden", {get: () => window.away, configurable: true});
  window.away = true;
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LOOK_AGAIN = """() => {
  window.away = false;
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def watch_polls(visitor: Visitor) -> list[Response]:
    polls: list[Response] = []
    visitor.page.on("response", lambda r: polls.append(r) if "/updates/" in r.url else None)
    return polls


def count_polls(visitor: Visitor) -> int:
    """Those that were sent: an answer may come later, and be of an earlier time."""
    return sum("/updates/" in request.url for request in visitor.requests)


def test_the_page_asks_less_often_as_the_server_says_and_gets_204_meanwhile(
    alice: Visitor,
) -> None:
    polls = watch_polls(alice)
    alice.open("/swaps/")  # all that is to be loaded once
    with alice.site.resting_worker():
        swap = alice.request_swap()
        page = alice.open("/swaps/")
        poller = page.locator("#poller")
        expect(poller).to_have_attribute("hx-trigger", "every 300ms, refresh")
        expect(poller).to_have_attribute("hx-trigger", "every 1000ms, refresh")
        asked = count_polls(alice)
        page.wait_for_timeout(2200)
        statuses = [poll.status for poll in polls]
        assert statuses.count(200) == 1  # the one that said to ask less often
        assert set(statuses) == {200, 204}
        assert asked > 4  # in the first five seconds, of which loading the page takes some
        assert 1 <= count_polls(alice) - asked <= 3
    expect(page.locator(f"#swap-{swap}.succeeded")).to_be_visible()
    expect(poller).not_to_have_attribute("hx-get", re.compile("."))
    asked = count_polls(alice)
    page.wait_for_timeout(700)
    assert count_polls(alice) == asked  # all is finished: nothing to ask about


def test_a_hidden_tab_is_quiet_and_catches_up_when_looked_at(alice: Visitor) -> None:
    with alice.site.resting_worker():
        swap = alice.request_swap()
        page = alice.open("/swaps/")
        with page.expect_response("**/updates/**"):
            pass
        page.evaluate(LOOK_AWAY)
        page.wait_for_timeout(100)
        asked = count_polls(alice)
        page.wait_for_timeout(1000)
        assert count_polls(alice) == asked  # it asks every five seconds, for its title
        expect(page.locator(f"#swap-{swap}.queued")).to_be_visible()
    alice.wait_for(swap)
    page.evaluate(LOOK_AGAIN)
    expect(page.locator(f"#swap-{swap}.succeeded")).to_be_visible()


def test_a_card_that_changes_keeps_the_focus_and_is_announced_once(alice: Visitor) -> None:
    with alice.site.resting_worker():
        swap = alice.request_swap()
        page = alice.open("/swaps/")
        link = page.locator(f"#swap-{swap} a")
        link.focus()
        page.evaluate("""() => {
            window.said = [];
            new MutationObserver(() => window.said.push(announcer.textContent))
                .observe(announcer, {childList: true, characterData: true, subtree: true});
        }""")
        live = page.locator("#announcer")
        expect(live).to_have_attribute("role", "status")
        expect(live).to_have_text("")
    expect(page.locator(f"#swap-{swap}.succeeded")).to_be_visible()
    expect(link).to_be_focused()
    expect(live).to_have_text("Your swap is finished.")
    assert [text for text in page.evaluate("said") if text] == ["Your swap is finished."]


def test_the_page_of_one_swap_becomes_the_picture_by_itself(alice: Visitor) -> None:
    with alice.site.resting_worker():
        swap = alice.request_swap()
        page = alice.open(f"/swaps/{swap}/")
        expect(page.get_by_role("slider")).to_have_count(0)
        page.evaluate("document.body.dataset.same = 'page'")
    expect(page.get_by_role("slider")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("Your picture is ready.")
    expect(page.locator("body")).to_have_attribute("data-same", "page")


def test_what_staff_or_another_tab_removed_vanishes_from_the_page(alice: Visitor) -> None:
    with alice.site.resting_worker():
        swap = alice.request_swap()
        page = alice.open("/swaps/")
        expect(page.locator(".card.queued")).to_be_visible()
        assert alice.post(f"/swaps/{swap}/delete/", "/swaps/new/").status == 302
        expect(page.locator(f"#swap-{swap}")).to_have_count(0)
