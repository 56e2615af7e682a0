"""Every page: nothing refused by the policy, nothing from elsewhere, usable by everybody."""

from typing import Literal

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import NO_FACE, TARGET, Visitor

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
STRANGERS_PAGES = ("/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/")
MEMBERS_PAGES = (
    *("/", "/swaps/new/", "/swaps/", "/swaps/{done}/", "/swaps/{failed}/"),
    *("/accounts/email/", "/accounts/password/change/", "/accounts/logout/", "/nothing/here/"),
)
# What axe-core would say first, by hand. Each finding is a sentence.
LOOK = """() => {
  const found = [];
  const seen = element => element.checkVisibility({visibilityProperty: true});
  const all = selector => [...document.querySelectorAll(selector)];
  const show = element => element.outerHTML.slice(0, 120);
  const text = element => (element.getAttribute("aria-label") || element.textContent
    || "").trim() || [...element.querySelectorAll("img[alt]")].map(i => i.alt).join("").trim();

  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  if (wide > 0) found.push(`scrolls sideways by ${wide} px`);
  if (!document.documentElement.lang) found.push("has no language");
  if (!document.title) found.push("has no title");
  if (all("h1").filter(seen).length !== 1) found.push(`has ${all("h1").length} h1`);
  if (all("main").length !== 1) found.push("has not one main");
  const levels = all("h1, h2, h3, h4, h5, h6").filter(seen).map(h => Number(h.tagName[1]));
  levels.forEach((level, at) => {
    if (at && level > levels[at - 1] + 1) found.push(`jumps from h${levels[at - 1]} to h${level}`);
  });
  for (const field of all("input:not([type=hidden]), select, textarea")) {
    if (!seen(field)) continue;
    const labels = [...field.labels].filter(label => text(label));
    if (!labels.length && !field.getAttribute("aria-label")) found.push(`no label: ${show(field)}`);
  }
  for (const control of all("a[href], button, summary")) {
    if (seen(control) && !text(control)) found.push(`no name: ${show(control)}`);
  }
  for (const image of all("img:not([alt])")) found.push(`no alt: ${show(image)}`);
  const ids = all("[id]").map(element => element.id);
  for (const id of ids.filter((id, at) => ids.indexOf(id) !== at)) found.push(`twice: #${id}`);
  for (const name of ["aria-describedby", "aria-labelledby", "aria-controls", "for"]) {
    for (const element of all(`[${name}]`)) {
      for (const id of element.getAttribute(name).split(/\\s+/)) {
        if (!document.getElementById(id)) found.push(`${name} names no element: ${id}`);
      }
    }
  }
  for (const element of all("[tabindex]")) {
    if (element.tabIndex > 0) found.push(`a tabindex above 0: ${show(element)}`);
  }
  for (const control of all("main button, main a.button, header a, header summary, footer a")) {
    const box = control.getBoundingClientRect();
    if (seen(control) && box.width && (box.width < 24 || box.height < 24))
      found.push(`smaller than 24 px: ${show(control)}`);
  }
  return found;
}"""
# Contrast of text on plain ground (WCAG 2.2, 1.4.3); text on pictures is left out.
CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map(c => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      const colour = rgba(style.backgroundColor);
      if (style.backgroundImage !== "none" || (colour[3] > 0 && colour[3] < 255)) return null;
      if (Number(style.opacity) < 1) return null;
      if (colour[3] === 255) return colour;
      if (style.position === "absolute" && !at.matches("main, body")) return null;
    }
    return rgba("white");
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest("[disabled], .visually-hidden, noscript, script, option")) continue;
    const under = ground(element);
    const style = getComputedStyle(element);
    const over = rgba(style.color);
    if (!under || over[3] < 255) continue;
    const [high, low] = [light(under), light(over)].sort((a, b) => b - a);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5))
      found.push(`${ratio.toFixed(2)}:1 for "${walker.currentNode.data.trim().slice(0, 40)}"`);
  }
  return found;
}"""


@pytest.fixture
def member(new_visitor: NewVisitor) -> Visitor:
    """Somebody with a refusal and a picture, for all tests that only look."""
    member = new_visitor("member", is_shared=True)
    if not member.swaps():
        member.wait_for(member.request_swap(NO_FACE, TARGET), "failed")
        member.wait_for(member.request_swap())
    member.expected = {404}  # one of the pages is the one for what is not there
    return member


def findings(page: Page) -> list[str]:
    page.wait_for_load_state()
    found: list[str] = page.evaluate(LOOK)
    contrast: list[str] = page.evaluate(CONTRAST)
    return found + contrast


def test_these_tests_notice_what_is_wrong(new_visitor: NewVisitor) -> None:
    visitor = new_visitor()
    page = visitor.open("/accounts/login/")
    with page.expect_event("console", lambda message: message.text == "the last"):
        page.evaluate("""async () => {
            document.body.setAttribute("style", "color: red");
            await fetch("https://elsewhere.example/").catch(() => 0);
            console.error("said");
            setTimeout(() => { throw new Error("thrown"); });
            setTimeout(() => console.log("the last"), 50);
            const main = document.querySelector("main");
            main.querySelector("label").remove();
            main.append(Object.assign(new Image(3000), {id: "main"}));
            main.append(document.createElement("button"));
            const pale = document.createElement("p");
            pale.textContent = "pale";
            pale.style.color = pale.style.backgroundColor = "#aaa";
            main.append(pale);
            main.querySelector("img").style.maxWidth = "none";
            main.lastElementChild.previousElementSibling.style.minWidth = "3000px";
        }""")
    found = findings(page)
    visitor.expected = {404}  # the icon that Chromium looks for beside a page without one
    page.goto(visitor.site.url.replace("127.0.0.1", "localhost") + "/healthz")
    noticed, visitor.wrongs = "\n".join(visitor.wrongs), []

    said = ("style", "elsewhere.example", "console: said", "thrown", "another place: http://local")
    assert [text for text in said if text not in noticed] == [], noticed
    about = ("sideways", "no label", "no alt", "twice: #main", "no name", "1.00:1")
    assert [text for text in about if text not in "\n".join(found)] == [], found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_is_in_good_order(
    new_visitor: NewVisitor,
    member: Visitor,
    size: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    found = {}
    stranger = new_visitor(viewport=size, color_scheme=scheme)
    for path in STRANGERS_PAGES:
        found[f"stranger {path}"] = findings(stranger.open(path))
    member.page.set_viewport_size(size)
    member.page.emulate_media(color_scheme=scheme)
    done, failed = member.swaps()[:2]
    for path in MEMBERS_PAGES:
        page = member.open(path.format(done=done, failed=failed))
        found[f"member {path}"] = findings(page)
    assert {path: what for path, what in found.items() if what} == {}


def test_light_and_dark_are_two_looks(new_visitor: NewVisitor) -> None:
    page = new_visitor().open("/")
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        grounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


@pytest.mark.parametrize("path", ["/", "/swaps/new/", "/swaps/", "/accounts/email/"])
def test_the_skip_link_comes_first_and_leads_to_the_content(member: Visitor, path: str) -> None:
    page = member.open(path)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_the_account_menu_works_by_keyboard(member: Visitor) -> None:
    page = member.open("/swaps/")
    summary = page.locator("details.menu summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()
    expect(summary).to_be_focused()


def test_a_swap_can_be_requested_by_keyboard_alone(member: Visitor) -> None:
    page = member.open("/swaps/new/")
    page.locator("#id_source_image").focus()
    reached = []
    for _ in range(8):
        reached.append(page.evaluate("document.activeElement.name || document.activeElement.type"))
        page.keyboard.press("Tab")
    assert [name for name in reached if name] == [
        "source_image",
        "target_image",
        "consent",
        "submit",
    ]
