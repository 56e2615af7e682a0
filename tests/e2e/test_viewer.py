"""The page of a result: looked at by keyboard and by touch, and shared."""

import re
from typing import Any

from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.findings import PHONE
from tests.e2e.visitor import Visitor
from tests.e2e.ways import LOADED

# How much of "before" is seen, and how large the picture is.
SEEN = "frame => Number(getComputedStyle(frame).getPropertyValue('--at'))"
ENLARGED = "frame => new DOMMatrix(getComputedStyle(frame.querySelector('img')).transform).a"


def open_result(visitor: Visitor, swap: str) -> tuple[Page, Locator]:
    page = visitor.open(f"/swaps/{swap}/")
    page.wait_for_function(LOADED)
    return page, page.locator("[data-compare]")


def touch(hand: CDPSession, kind: str, *points: tuple[float, float]) -> None:
    fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
    hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})


def test_a_result_is_compared_enlarged_and_left_by_keyboard_and_by_touch(
    new_visitor: NewVisitor,
) -> None:
    visitor = new_visitor("viewer", reduced_motion="reduce", viewport=PHONE, has_touch=True)
    older = visitor.wait_for(visitor.request_swap())
    newer = visitor.wait_for(visitor.request_swap())
    page, frame = open_result(visitor, newer)
    assert frame.evaluate(SEEN) == 0

    hold = page.get_by_role("button", name="Before")
    hold.focus()
    page.keyboard.down(" ")
    assert frame.evaluate(SEEN) == 1
    page.keyboard.up(" ")
    assert frame.evaluate(SEEN) == 0
    page.get_by_role("button", name="Zoom in").press("Enter")
    assert frame.evaluate(ENLARGED) > 1.5
    page.keyboard.press("ArrowLeft")  # pans, and leads nowhere
    expect(page).to_have_url(re.compile(newer))
    page.get_by_role("button", name="Zoom out").press("Enter")

    hand = page.context.new_cdp_session(page)
    box: Any = frame.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(hand, "touchStart", middle)
    expect(frame).to_have_class(re.compile("holding"))
    touch(hand, "touchEnd")
    expect(frame).not_to_have_class(re.compile("holding"))
    x, y = middle
    touch(hand, "touchStart", (x - 20, y), (x + 20, y))
    for wide in (30, 60):
        touch(hand, "touchMove", (x - wide, y), (x + wide, y))
    touch(hand, "touchEnd")
    expect(page.get_by_role("button", name="Zoom out")).to_be_enabled()
    page.touchscreen.tap(*middle)
    page.touchscreen.tap(*middle)  # twice: as it was
    expect(page.get_by_role("button", name="Zoom out")).to_be_disabled()

    with page.expect_navigation():
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(older))


def test_a_picture_is_shared_until_its_owner_ends_the_link(
    alice: Visitor, new_visitor: NewVisitor
) -> None:
    page, _ = open_result(alice, alice.wait_for(alice.request_swap()))
    page.get_by_text("Share by a link…").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link")
    expect(link).to_be_focused()
    url = link.input_value()

    stranger = new_visitor()
    stranger.page.goto(url)
    stranger.page.wait_for_function(LOADED)
    expect(stranger.page.get_by_text("made with AI", exact=False).first).to_be_visible()

    page.get_by_role("button", name="End the link").click()
    expect(page.get_by_role("button", name="Make a link")).to_be_focused()
    stranger.expected = {404}
    stranger.page.goto(url)
    expect(stranger.page.get_by_role("heading", name="This link has ended")).to_be_visible()
