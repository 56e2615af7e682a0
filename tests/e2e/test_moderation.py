"""Staff see what was made, hide it, and block who made it."""

import secrets

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor
from tests.running_site import RunningSite


@pytest.fixture
def bob(site: RunningSite, new_visitor: NewVisitor) -> Visitor:
    """A member of the staff, signed in."""
    email, password = f"bob-{secrets.token_hex(4)}@example.com", secrets.token_urlsafe()
    site.manage(
        *("createsuperuser", "--noinput"),
        DJANGO_SUPERUSER_EMAIL=email,
        DJANGO_SUPERUSER_PASSWORD=password,
    )
    bob = new_visitor()
    bob.sign_in(email, password)
    return bob


def act(page: Page, row: str, action: str) -> None:
    page.get_by_role("row", name=row).get_by_role("checkbox").check()
    page.locator("select[name=action]").select_option(label=action)
    with page.expect_navigation():
        page.get_by_role("button", name="Go").click()
    if asks := page.get_by_role("button", name="Yes, ").all():
        with page.expect_navigation():
            asks[0].click()
    expect(page.locator(".messagelist .success")).to_be_visible()


def test_staff_see_thumbnails_hide_a_swap_and_block_its_owner(
    bob: Visitor, newcomer: Visitor
) -> None:
    bob.expected = {404}  # the pictures of rows that other tests made without any
    swap = newcomer.wait_for(newcomer.request_swap())
    page = bob.open("/")
    bob.follow(page.get_by_role("link", name="Admin"))
    bob.follow(page.get_by_role("link", name="Swaps", exact=True).first)
    pictures = page.get_by_role("row", name=swap).locator("img.swap-thumb")
    expect(pictures).to_have_count(3)
    for picture in pictures.all():
        picture.scroll_into_view_if_needed()
        expect(picture).not_to_have_js_property("naturalWidth", 0)

    newcomer.expected = {404}
    gallery = newcomer.open("/swaps/")
    expect(gallery.locator(f"#swap-{swap}")).to_be_visible()
    act(page, swap, "Hide from everyone")
    gallery.reload()
    expect(gallery.locator(".card")).to_have_count(0)
    assert newcomer.get(f"/swaps/{swap}/").status == 404
    assert newcomer.get(f"/swaps/{swap}/result/").status == 404
    act(page, swap, "Show again")
    assert newcomer.get(f"/swaps/{swap}/").status == 200

    bob.open("/admin/swaps/user/")
    act(page, newcomer.email, "Block (no sign-in, signed out at once)")
    gallery.reload()
    expect(gallery.get_by_role("heading", name="Sign in")).to_be_visible()
    newcomer.fill_in_sign_in()
    expect(gallery.locator(".card")).to_have_count(0)
    assert newcomer.get("/swaps/").status == 302


def test_the_admin_is_closed_to_everybody_else(newcomer: Visitor, new_visitor: NewVisitor) -> None:
    swap = newcomer.wait_for(newcomer.request_swap())
    for visitor in (newcomer, new_visitor()):
        for path in ("/admin/", f"/admin/swaps/swap/{swap}/thumb/source/"):
            answer = visitor.get(path)
            assert answer.status == 302
            assert answer.headers["location"].startswith("/admin/login/")
