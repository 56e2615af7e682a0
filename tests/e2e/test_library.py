"""The history as a library: looked through, selected from, and up to date, with and without JS."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor

# Finished swaps without pictures: names of their own, a second apart. Prints the newest's id.
ROWS = """
import datetime, uuid
from django.utils import timezone
from swaps.models import Swap, User
owner, now = User.objects.get(email="{email}"), timezone.now()
swaps = [
    Swap(owner=owner, status="succeeded", name=f"{name} {{n}}", finished_at=now,
        created_at=now - datetime.timedelta(seconds=n), source_key="a.jpg", target_key="b.jpg")
    for n in range({count})
]
Swap.objects.bulk_create(swaps)
print(swaps[0].pk)
"""


def add_swaps(visitor: Visitor, name: str, count: int) -> str:
    visitor.expected.add(404)  # their pictures
    return visitor.site.run(ROWS.format(email=visitor.email, name=name, count=count)).strip()


def test_a_library_is_searched_scrolled_and_selected_from_and_shows_what_comes_in(
    newcomer: Visitor,
) -> None:
    add_swaps(newcomer, "Anna", 30)
    page = newcomer.open("/swaps/")
    cards = page.locator("#cards > .card")
    expect(cards).to_have_count(24)

    search = page.get_by_role("searchbox", name="Search by name")
    search.press_sequentially("anna 29")
    expect(cards).to_have_count(1)
    expect(search).to_be_focused()
    expect(page).to_have_url(re.compile(r"\?q=anna\+29$"))
    page.go_back()
    expect(cards).to_have_count(24)
    expect(search).to_have_value("")

    cards.nth(23).scroll_into_view_if_needed()
    expect(cards).to_have_count(30)  # the next page came by itself

    came = add_swaps(newcomer, "Berta", 1)
    page.evaluate("dispatchEvent(new Event('online'))")  # it would ask within ten seconds
    expect(cards).to_have_count(31)
    expect(cards.first).to_have_id(f"swap-{came}")

    page.get_by_role("button", name="Select").click()
    cards.nth(1).click()
    cards.nth(2).locator("input[type=checkbox]").press("Space")
    expect(page.locator("#picked")).to_have_text("2 selected")
    newcomer.follow(page.get_by_role("button", name="Delete…"))
    expect(page.get_by_role("heading", name="Delete 2 swaps?")).to_be_visible()
    newcomer.follow(page.get_by_role("button", name="Delete for good"))
    expect(page.get_by_text("2 swaps deleted, with all pictures.")).to_be_visible()
    expect(page.get_by_text("Anna 0", exact=True)).to_have_count(0)


def test_without_scripts_a_library_is_searched_and_selected_from(new_visitor: NewVisitor) -> None:
    visitor = new_visitor("plain", java_script_enabled=False)
    add_swaps(visitor, "Anna", 3)
    page = visitor.open("/swaps/")
    page.get_by_label("Search by name").fill("anna 2")
    visitor.follow(page.get_by_role("button", name="Show", exact=True))
    expect(page.locator("#cards > .card")).to_have_count(1)
    page.locator("#cards input[type=checkbox]").check()
    visitor.follow(page.get_by_role("button", name="Delete…"))
    visitor.follow(page.get_by_role("button", name="Delete for good"))
    expect(page.locator("#cards > .card")).to_have_count(2)
