"""One face is put into several photos, chosen together, and followed without a reload."""

from playwright.sync_api import expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.test_axe import expect_none, look_at
from tests.paths import OTHER, ROOT, SOURCE, TARGET


def test_one_face_and_two_photos_become_two_pictures(new_visitor: NewVisitor) -> None:
    visitor = new_visitor("batch", bypass_csp=True)
    page = visitor.open("/batches/new/")
    page.locator("#id_source_image").set_input_files(SOURCE)
    page.locator("#id_target_images").set_input_files([TARGET, ROOT / "README.md", OTHER, TARGET])
    expect(page.get_by_text("README.md cannot be used.")).to_be_visible()
    expect(page.get_by_text("3 of 20")).to_be_visible()
    page.get_by_role("button", name=f"Remove {TARGET.name}").last.click()
    expect(page.get_by_text("2 of 20")).to_be_visible()
    expect(page.locator(".shot.busy")).to_have_count(0)
    found = {"the form": look_at(page)}

    page.get_by_role("checkbox", name="I may use").check()
    visitor.follow(page.get_by_role("button", name="Swap 2 photos"))
    page.evaluate("document.body.dataset.same = 'page'")
    expect(page.get_by_text("All 2 pictures are ready.")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-same", "page")
    expect(page.locator(".card.succeeded")).to_have_count(2)
    expect(page.get_by_role("link", name="Download all")).to_be_visible()
    page.get_by_text("Delete this batch…").click()
    expect(page.get_by_text("2 swaps with all photos and results are removed.")).to_be_visible()
    expect_none(found)
