"""A refusal says which photo, why, and what to do; and the other photo need not be chosen again."""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor
from tests.paths import NO_FACE, OTHER, SOURCE, TARGET
from tests.running_site import MAX_UPLOAD_MB


def png_bomb() -> bytes:
    """A PNG of 1.6 gigapixels, of which only the header is there."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@dataclass(frozen=True, kw_only=True)
class Bad:
    name: str
    make: Callable[[], bytes]
    says: tuple[str, ...]


NO_IMAGE = Bad(name="notes.jpg", make=lambda: b"dear diary, " * 99, says=("is not a picture",))
TOO_MANY_BYTES = Bad(
    name="huge.jpg",
    make=lambda: b"\xff\xd8\xff\xe0" + b"x" * (MAX_UPLOAD_MB * 1_000_000),
    says=(f"{MAX_UPLOAD_MB} MB is the most", "smaller"),
)
TOO_MANY_PIXELS = Bad(
    name="bomb.png", make=png_bomb, says=("megapixels", "50 is the most", "smaller")
)


def wrong(page: Page, place: str) -> str:
    """What is said in this place, once something is said there."""
    message = page.locator(f"#{place}-wrong")
    expect(message).to_be_visible()
    return message.inner_text()


def ready(page: Page) -> Locator:
    """The button, once the photographed have consented."""
    consent = page.locator("#id_consent")
    if consent.count():  # asked once a visit
        consent.check()
    return page.get_by_role("button", name="Swap faces")


@pytest.mark.parametrize(
    ("place", "bad"),
    [
        ("source", NO_IMAGE),
        ("target", TOO_MANY_PIXELS),
        ("source", TOO_MANY_BYTES),
        ("target", TOO_MANY_BYTES),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_the_server_refuses_one_photo_and_keeps_the_other(
    noah: Visitor, tmp_path: Path, bad: Bad, place: str
) -> None:
    noah.expected = {422}
    file = tmp_path / bad.name
    file.write_bytes(bad.make())
    other = "target" if place == "source" else "source"
    page = noah.open("/swaps/new/")
    before = len(noah.swaps())
    page.locator(f"#id_{place}_image").set_input_files(file)
    page.locator(f"#id_{other}_image").set_input_files(SOURCE)
    noah.follow(ready(page))

    message = wrong(page, place)
    assert ("face photo" if place == "source" else "target photo") in message
    assert [text for text in bad.says if text not in message] == [], message
    expect(page.locator(f"#{other}-wrong")).to_be_hidden()
    expect(page.get_by_role("checkbox")).to_be_checked()

    page.locator(f"#id_{place}_image").set_input_files(TARGET)
    noah.follow(ready(page))
    expect(page.locator("#swap")).to_be_visible()
    assert len(noah.swaps()) == before + 1


def test_with_scripts_too_many_bytes_are_said_before_anything_is_sent(
    alice: Visitor, tmp_path: Path
) -> None:
    huge = tmp_path / "huge.jpg"
    huge.write_bytes(TOO_MANY_BYTES.make())
    page = alice.open("/swaps/new/")
    page.locator("#id_target_image").set_input_files(huge)
    message = wrong(page, "target")
    assert "huge.jpg" in message
    assert f"{MAX_UPLOAD_MB} MB" in message
    expect(page.locator("#source-wrong")).to_be_hidden()
    assert [request.method for request in alice.requests if request.method == "POST"] == []

    page.locator("#id_target_image").set_input_files(TARGET)
    expect(page.locator("#target-wrong")).to_be_hidden()


def test_with_scripts_what_is_missing_is_said_where_it_is_missing(newcomer: Visitor) -> None:
    page = newcomer.open("/swaps/new/")
    page.locator("#id_source_image").set_input_files(SOURCE)
    page.get_by_role("button", name="Swap faces").click()
    assert wrong(page, "target")
    assert wrong(page, "consent")
    expect(page.locator("#source-wrong")).to_be_hidden()
    expect(page.locator("#id_target_image")).to_be_focused()

    page.locator("#id_target_image").set_input_files(TARGET)
    newcomer.follow(ready(page))
    expect(page.locator("[data-compare]")).to_be_visible()


def test_with_scripts_a_file_that_is_no_picture_is_refused_by_the_server(
    alice: Visitor, tmp_path: Path
) -> None:
    alice.expected = {422}
    notes = tmp_path / "notes.jpg"
    notes.write_bytes(NO_IMAGE.make())
    page = alice.open("/swaps/new/")
    page.locator("#id_source_image").set_input_files(notes)
    page.locator("#id_target_image").set_input_files(TARGET)
    expect(page.locator("#source-wrong")).to_contain_text("face photo")
    expect(page.locator("[data-place=target] img.picture")).to_be_visible()

    page.locator("#id_source_image").set_input_files(SOURCE)
    alice.follow(ready(page))
    expect(page.locator("[data-compare]")).to_be_visible()


@pytest.mark.parametrize("missing", ["source", "target", "consent"])
def test_without_scripts_the_server_says_what_is_missing(noah: Visitor, missing: str) -> None:
    noah.expected = {422}
    kept = {"source_image": SOURCE, "target_image": TARGET, "consent": "on"}
    fields = {name: value for name, value in kept.items() if not name.startswith(missing)}
    answer = noah.post("/swaps/new/", "/swaps/new/", **fields)
    assert answer.status == 422
    page = noah.page
    page.set_content(answer.text())
    assert wrong(page, missing)
    others = {"source", "target", "consent"} - {missing}
    for other in others:
        expect(page.locator(f"#{other}-wrong")).to_be_hidden()
    for photo in others - {"consent"}:
        expect(page.locator(f"[data-place={photo}] input[type=hidden]")).to_have_count(1)


@pytest.mark.parametrize("place", ["source", "target"])
def test_a_photo_without_a_face_is_named_not_counted_and_can_be_replaced(
    alice: Visitor, place: str
) -> None:
    other = "target" if place == "source" else "source"
    source, target = (NO_FACE, TARGET) if place == "source" else (SOURCE, NO_FACE)
    before = alice.swaps_left()
    swap = alice.wait_for(alice.request_swap(source, target), "failed")
    assert alice.swaps_left() == before

    page = alice.open("/swaps/")
    card = page.locator(f"#swap-{swap}.failed")
    expect(card).to_contain_text("face photo" if place == "source" else "target photo")
    expect(card).to_contain_text("No face was found")
    expect(card).to_contain_text("Not counted")

    offer = card.get_by_role("link", name="Another")
    expect(offer).to_have_attribute("href", re.compile(rf"/swaps/new/\?{other}={swap}$"))
    alice.follow(card.get_by_role("link").first)
    expect(page.locator("main")).to_contain_text("No face was found")
    expect(page.locator("main")).to_contain_text("not counted")
    alice.follow(page.get_by_role("link", name="Choose another"))
    expect(page.locator(f"[data-place={other}] img.picture")).to_be_visible()
    expect(page.locator(f"[data-place={place}] img.picture")).to_be_hidden()
    page.locator(f"#id_{place}_image").set_input_files(OTHER)
    alice.follow(ready(page))
    expect(page.locator("[data-compare]")).to_be_visible()
    newest = alice.swaps()[0]
    kept = alice.get(f"/swaps/{newest}/{other}/").body()
    assert kept == alice.get(f"/swaps/{swap}/{other}/").body()
    assert alice.swaps_left() == before - 1


@pytest.fixture
def noah(new_visitor: NewVisitor) -> Visitor:
    """Somebody without scripts."""
    return new_visitor("noah", java_script_enabled=False)
