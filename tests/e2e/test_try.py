"""From the first page to a picture of one's own in three clicks, and then to an account."""

from playwright.sync_api import expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import PASSWORD
from tests.e2e.ways import LOADED
from tests.paths import SOURCE


def test_a_stranger_makes_a_picture_with_an_own_face_and_takes_it_along(
    new_visitor: NewVisitor,
) -> None:
    visitor = new_visitor(viewport={"width": 390, "height": 844}, has_touch=True)
    page = visitor.open("/")
    visitor.follow(page.get_by_role("link", name="Try it now").first)
    faces = page.get_by_role("group", name="Pick a face")
    expect(faces.get_by_role("radio", checked=True)).to_have_count(1)
    page.locator("#id_source_image").set_input_files(SOURCE)
    expect(faces.get_by_role("radio", checked=True)).to_have_count(0)
    faces.get_by_role("button", name="Remove").click()
    expect(faces.get_by_role("radio", checked=True)).to_have_count(1)
    page.locator("#id_source_image").set_input_files(SOURCE)

    page.get_by_role("checkbox").check()
    visitor.follow(page.get_by_role("button", name="Swap"))
    expect(page.get_by_role("heading", name="Your picture")).to_be_visible()
    page.wait_for_function(LOADED)

    visitor.follow(page.get_by_role("link", name="Make an account"))
    page.get_by_label("Email").fill("guest-no-more@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    visitor.follow(page.get_by_role("button", name="Sign up"))
    visitor.follow(page.get_by_role("link", name="Go on"))
    expect(page.get_by_role("link", name="History").first).to_be_visible()
    assert len(visitor.swaps()) == 1
