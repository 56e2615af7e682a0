"""Choosing the two photos: by dropping, by pasting, by changing one's mind."""

import base64
import io
import re
from pathlib import Path

from PIL import Image, ImageChops
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor
from tests.e2e.ways import submit
from tests.paths import COUPLE, OTHER, SOURCE, TARGET

PHONE: ViewportSize = {"width": 390, "height": 844}
GIVE = """(element, [kind, name, base64]) => {
  const bytes = Uint8Array.from(atob(base64), letter => letter.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, {type: "image/jpeg"}));
  const options = {bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data};
  const event = kind === "paste"
    ? new ClipboardEvent(kind, options)
    : new DragEvent(kind, options);
  element.dispatchEvent(event);
}"""


def give(page: Page, selector: str, kind: str, photo: Path) -> None:
    data = base64.b64encode(photo.read_bytes()).decode()
    page.locator(selector).evaluate(GIVE, [kind, photo.name, data])


def expect_names(page: Page, source: str, target: str) -> None:
    """Of the pictures in the two places, once it is these."""
    for place, name in (("source", source), ("target", target)):
        expect(page.locator(f"[data-place={place}] .name")).to_have_text(name)


def expect_faces(page: Page, source: int, target: int) -> None:
    for place, count in (("source", source), ("target", target)):
        expect(page.locator(f"[data-place={place}] .face")).to_have_count(count)


def test_dropped_and_pasted_photos_go_into_their_places_and_are_swapped(alice: Visitor) -> None:
    page = alice.open("/swaps/new/")
    give(page, "[data-place=target]", "drop", TARGET)
    expect_names(page, "", TARGET.name)
    give(page, "body", "paste", SOURCE)  # into the place that is still empty
    expect_names(page, SOURCE.name, TARGET.name)
    expect(page.locator("img.picture:visible")).to_have_count(2)

    expect_faces(page, 1, 1)

    submit(page)
    expect(page.locator("[data-compare]")).to_be_visible()


def test_a_photo_dropped_anywhere_goes_into_the_first_place_that_is_free(alice: Visitor) -> None:
    page = alice.open("/swaps/new/")
    give(page, "body", "drop", SOURCE)
    expect_names(page, SOURCE.name, "")  # it goes into the first free place
    expect(page).to_have_url(re.compile("/swaps/new/$"))


def test_photos_can_be_exchanged_taken_away_and_chosen_anew(alice: Visitor) -> None:
    page = alice.open("/swaps/new/")
    page.locator("#id_source_image").set_input_files(SOURCE)
    page.locator("#id_target_image").set_input_files(TARGET)
    expect_faces(page, 1, 1)
    page.get_by_role("button", name="Exchange the two pictures").click()
    expect_names(page, TARGET.name, SOURCE.name)

    page.get_by_role("button", name="Remove face").click()
    expect_names(page, "", SOURCE.name)
    expect(page.locator("#id_source_image")).to_be_focused()
    expect(page.locator("[data-place=source] img.picture")).to_be_hidden()

    page.locator("#id_source_image").set_input_files(OTHER)
    expect_names(page, OTHER.name, SOURCE.name)


def changed_side(visitor: Visitor, target: Path) -> str:
    """Return on which side of a photo of two people the result on this page differs."""
    swap = visitor.wait_for(visitor.swaps()[0])
    data = visitor.get(f"/swaps/{swap}/result/").body()
    with Image.open(io.BytesIO(data)) as result, Image.open(target) as before:
        difference = ImageChops.difference(result.convert("RGB"), before.convert("RGB"))
    left, _, right, _ = difference.point(lambda value: 255 * (value > 40)).getbbox() or (0,) * 4
    return "left" if (left + right) / 2 < result.width * 0.56 else "right"


def test_the_face_that_is_tapped_is_the_one_that_is_swapped(new_visitor: NewVisitor) -> None:
    visitor = new_visitor("tess", is_shared=True, has_touch=True, viewport=PHONE)
    page = visitor.open("/swaps/new/")
    page.locator("#id_source_image").set_input_files(SOURCE)
    page.locator("#id_target_image").set_input_files(COUPLE)
    faces = page.get_by_role("radiogroup", name="2 faces. Choose the one to replace.")
    faces.get_by_role("radio").nth(1).tap()
    expect(faces.get_by_role("radio").nth(1)).to_be_checked()
    submit(page)
    assert changed_side(visitor, COUPLE) == "right"


def test_without_scripts_one_more_step_asks_which_face(new_visitor: NewVisitor) -> None:
    visitor = new_visitor("noel", is_shared=True, java_script_enabled=False)
    page = visitor.open("/swaps/new/")
    page.locator("#id_source_image").set_input_files(SOURCE)
    page.locator("#id_target_image").set_input_files(COUPLE)
    submit(page)
    page.get_by_role("radio", name="Face 2").check()
    submit(page)
    assert changed_side(visitor, COUPLE) == "right"
