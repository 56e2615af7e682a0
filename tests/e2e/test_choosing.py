"""Choosing the two photos: by dropping, by pasting, by changing one's mind."""

import base64
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.visitor import Visitor
from tests.paths import OTHER, SOURCE, TARGET

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
    """Of the files in the two places, once it is these."""
    page.wait_for_function(
        """wanted => ['source', 'target'].every((place, at) =>
            (document.getElementById(`id_${place}_image`)?.files[0]?.name ?? "") === wanted[at])""",
        arg=[source, target],
    )


def test_dropped_and_pasted_photos_go_into_their_places_and_are_swapped(alice: Visitor) -> None:
    page = alice.open("/swaps/new/")
    give(page, "[data-place=target]", "drop", TARGET)
    expect_names(page, "", TARGET.name)
    give(page, "body", "paste", SOURCE)  # into the place that is still empty
    expect_names(page, SOURCE.name, TARGET.name)
    expect(page.locator("img.picture:visible")).to_have_count(2)

    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Swap faces").click()
    expect(page).to_have_url(re.compile("/swaps/$"))
    expect(page.locator(".card").first).to_contain_class("succeeded")


def test_a_photo_dropped_beside_the_places_does_not_replace_the_page(alice: Visitor) -> None:
    page = alice.open("/swaps/new/")
    give(page, "body", "drop", SOURCE)
    expect_names(page, "", "")
    expect(page).to_have_url(re.compile("/swaps/new/$"))


def test_photos_can_be_exchanged_taken_away_and_chosen_anew(alice: Visitor) -> None:
    page = alice.open("/swaps/new/")
    page.locator("#id_source_image").set_input_files(SOURCE)
    page.locator("#id_target_image").set_input_files(TARGET)
    page.get_by_role("button", name="Exchange the two pictures").click()
    expect_names(page, TARGET.name, SOURCE.name)

    page.get_by_role("button", name="Remove face").click()
    expect_names(page, "", SOURCE.name)
    expect(page.locator("#id_source_image")).to_be_focused()
    expect(page.locator("[data-place=source] img.picture")).to_be_hidden()

    page.locator("#id_source_image").set_input_files(OTHER)
    expect_names(page, OTHER.name, SOURCE.name)
