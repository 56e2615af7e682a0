"""What was loaded once is not loaded again, and goes with the account that it was loaded for."""

from playwright.sync_api import expect

from tests.e2e.visitor import Visitor
from tests.e2e.ways import LOADED

# The bytes on the network of each picture of a swap, by its URL.
PICTURES = """() => Object.fromEntries(performance.getEntriesByType("resource")
    .filter((entry) => entry.name.includes("/thumb/"))
    .map((entry) => [entry.name, entry.transferSize]))"""
COMES_BACK = 'dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))'


def test_a_second_visit_loads_no_picture(alice: Visitor) -> None:
    alice.wait_for(alice.request_swap())
    visits = []
    for _ in range(2):
        page = alice.open("/swaps/")
        page.wait_for_function(LOADED)
        visits.append(page.evaluate(PICTURES))
    first, second = visits
    assert all(first.values())
    assert first.keys() == second.keys()
    assert not any(second.values())


def test_a_page_does_not_come_back_for_another_account(alice: Visitor) -> None:
    page = alice.open("/swaps/")
    page.evaluate("document.body.dataset.same = 'page'")
    with page.expect_response(lambda answer: answer.request.method == "HEAD"):
        page.evaluate(COMES_BACK)
    expect(page.locator("body")).to_have_attribute("data-same", "page")
    with page.expect_navigation():
        page.evaluate(f"localStorage.setItem('account', 'another'); {COMES_BACK}")
    expect(page.locator("body")).not_to_have_attribute("data-same", "page")
