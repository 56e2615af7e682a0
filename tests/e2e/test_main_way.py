"""The whole of what a person does here, with scripts and without."""

import re

from playwright.sync_api import expect

from swaps.provenance import xmp
from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor
from tests.e2e.ways import LOADED, choose, download, sign_up, submit
from tests.paths import OTHER, SOURCE, TARGET
from tests.running import wait_until
from tests.running_site import RunningSite

MAGIC = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n", "webp": b"RIFF"}


def test_two_photos_become_one_picture_without_a_reload(
    new_visitor: NewVisitor, site: RunningSite
) -> None:
    visitor = new_visitor()
    sign_up(visitor, "anna@example.com")
    page = visitor.page

    choose(page, SOURCE, TARGET)
    expect(page.locator("img.picture:visible")).to_have_count(2)
    page.wait_for_function("""() => [...document.querySelectorAll("img.picture")]
        .every(image => image.src.startsWith("blob:") && image.naturalWidth > 0)""")
    with site.resting_worker():
        submit(page)
        expect(page.locator(".stage.waiting")).to_be_visible()
        page.evaluate("document.body.dataset.same = 'page'")
    expect(page.get_by_role("heading", name="Your picture")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-same", "page")
    page.wait_for_function(LOADED)
    compare = page.get_by_role("slider")
    compare.focus()
    page.keyboard.press("ArrowRight")
    expect(compare).to_have_value("1")
    expect(compare).to_have_attribute("aria-valuetext", "1 percent before")
    expect(page.locator("[data-compare]")).to_have_attribute("style", re.compile("--at: ?0.01"))

    for name, kind in (
        ("Download", "jpeg"),
        ("Download as PNG", "png"),
        ("Download as WebP", "webp"),
    ):
        data = download(page, name)
        assert data.startswith(MAGIC[kind])
        assert xmp.is_marked(data)


def test_a_photo_is_kept_for_the_next_swap(newcomer: Visitor) -> None:
    swap = newcomer.wait_for(newcomer.request_swap())
    page = newcomer.page
    for link, place, chosen in (
        ("Same face, another photo", "source", (None, OTHER)),
        ("Same photo, another face", "target", (OTHER, None)),
    ):
        newcomer.open(f"/swaps/{swap}/")
        newcomer.follow(page.get_by_role("link", name=link))
        kept = page.locator(f"[data-place={place}]")
        expect(kept.locator(".name")).to_contain_text("Kept")
        page.wait_for_function("() => document.querySelector('img.picture[src]')?.naturalWidth > 0")
        choose(page, *chosen)
        submit(page)
        expect(page.locator("[data-compare]")).to_be_visible()
    newest, second, _ = newcomer.swaps()
    assert (
        newcomer.get(f"/swaps/{newest}/target/").body()
        == newcomer.get(f"/swaps/{swap}/target/").body()
    )
    assert (
        newcomer.get(f"/swaps/{second}/source/").body()
        == newcomer.get(f"/swaps/{swap}/source/").body()
    )


def test_deleting_removes_the_swap_and_its_pictures(newcomer: Visitor) -> None:
    swap = newcomer.wait_for(newcomer.request_swap())
    pictures = [f"/swaps/{swap}/{name}/" for name in ("source", "target", "result")]
    pictures += [f"/swaps/{swap}/thumb/{name}/" for name in ("source", "target", "result")]
    assert [newcomer.get(path).status for path in pictures] == [200] * 6

    page = newcomer.open(f"/swaps/{swap}/")
    page.get_by_text("Delete…").click()
    newcomer.follow(page.get_by_role("button", name="Delete for good"))

    expect(page.get_by_text("Deleted, with all its pictures.")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)
    assert [newcomer.get(path).status for path in pictures] == [404] * 6
    assert newcomer.get(f"/swaps/{swap}/").status == 404
    media = newcomer.site.folder / "media"
    assert wait_until(lambda: not list(media.rglob(f"*{swap}*/*.*")))


def test_without_scripts_the_same_way_leads_to_the_picture(
    new_visitor: NewVisitor, site: RunningSite
) -> None:
    visitor = new_visitor(java_script_enabled=False)
    sign_up(visitor, "noah@example.com")
    page = visitor.page
    choose(page, SOURCE, TARGET)
    with site.resting_worker():
        submit(page)
        expect(page.locator(".stage.waiting")).to_be_visible()
    expect(page.locator("[data-compare]")).to_be_visible()  # the page reloads by itself
    data = download(page, "Download as PNG")
    assert data.startswith(MAGIC["png"])
    assert xmp.is_marked(data)

    visitor.follow(page.get_by_role("link", name="Same face, another photo"))
    choose(page, None, OTHER)
    submit(page)
    expect(page.locator("[data-compare]")).to_be_visible()  # from now on it does not reload
    page.get_by_text("Delete…").click()
    visitor.follow(page.get_by_role("button", name="Delete for good"))
    expect(page.locator(".card")).to_have_count(1)
