"""What is one person's is nobody else's."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor


def places(swap: str) -> list[str]:
    names = ("", "card/", "source/", "target/", "result/", "result/?download=png")
    thumbs = ("thumb/source/", "thumb/target/", "thumb/result/")
    return [f"/swaps/{swap}/{name}" for name in (*names, *thumbs)]


def test_another_account_gets_404_for_page_card_and_pictures(
    alice: Visitor, new_visitor: NewVisitor
) -> None:
    swap = alice.wait_for(alice.request_swap())
    charlie = new_visitor("charlie")
    charlie.expected = {404}
    assert {path: alice.get(path).status for path in places(swap)} == dict.fromkeys(
        places(swap), 200
    )
    assert {path: charlie.get(path).status for path in places(swap)} == dict.fromkeys(
        places(swap), 404
    )
    assert charlie.post(f"/swaps/{swap}/delete/", "/swaps/new/").status == 404
    page = charlie.open(f"/swaps/{swap}/")
    expect(page.locator("h1")).to_be_visible()
    assert swap not in charlie.open(f"/swaps/new/?source={swap}").content()
    updates = charlie.get(f"/swaps/updates/?swaps={swap}.queued").text()
    assert "thumb" not in updates
    assert alice.get(f"/swaps/{swap}/").status == 200


def test_who_is_signed_out_is_led_to_the_sign_in_and_back(alice: Visitor) -> None:
    swap = alice.wait_for(alice.request_swap())
    alice.context.clear_cookies()
    for path in places(swap):
        answer = alice.get(path)
        assert (answer.status, answer.headers["location"].split("?")[0]) == (
            302,
            "/accounts/login/",
        )
    page = alice.open(f"/swaps/{swap}/")
    expect(page).to_have_url(re.compile("/accounts/login/"))
    alice.fill_in_sign_in()
    expect(page).to_have_url(re.compile(f"/swaps/{swap}/$"))


def test_polling_after_the_session_ended_leads_the_whole_page_to_the_sign_in(
    alice: Visitor,
) -> None:
    with alice.site.resting_worker():
        swap = alice.request_swap()
        page = alice.open("/swaps/")
        expect(page.locator(".card.queued")).to_be_visible()
        alice.context.clear_cookies()
        expect(page).to_have_url(re.compile(r"/accounts/login/\?next=(/|%2F)swaps(/|%2F)$"))
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    alice.fill_in_sign_in()
    expect(page.locator(f"#swap-{swap}.succeeded")).to_be_visible()


def test_signing_out_ends_the_session(newcomer: Visitor) -> None:
    page = newcomer.open("/swaps/")
    page.locator("details.menu summary").click()
    newcomer.follow(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert newcomer.get("/swaps/").status == 302
