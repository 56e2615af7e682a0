"""Finds what makes a page hard to use for some people, on a desktop and on a phone."""

from playwright.sync_api import Page, ViewportSize

PHONE: ViewportSize = {"width": 390, "height": 844}
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
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


def findings(page: Page) -> list[str]:
    page.wait_for_load_state()
    found: list[str] = page.evaluate(LOOK)
    contrast: list[str] = page.evaluate(CONTRAST)
    return found + contrast
