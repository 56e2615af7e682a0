"""The look keeps its promises: a strict CSP, files that exist, colours that can be read."""

import math
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import get_template
from django.test import override_settings

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SHEETS = sorted((ROOT / "static" / "css").glob("*.css"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))

FORBIDDEN = {
    "an inline script": r"<script(?![^>]*\bsrc=)[^>]*>",
    "an inline style sheet": r"<style\b",
    "a style attribute": r"\sstyle\s*=",
    "an event handler": r"\son[a-z]+\s*=",
    "hx-on": r"\bhx-on\b",
    "a js: value": r"\b(?:js|javascript):",
    "a trigger filter": r"hx-trigger=\"[^\"]*\[",
    "a path that SITE_URL's is not before": r"\b(?:href|src|action|hx-[a-z]+)=\"/",
    "an address elsewhere": r"(?:https?:)?//[a-z0-9-]+\.[a-z]",
}
plain_static = override_settings(
    STORAGES={
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
)


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_template_holds_nothing_the_policy_forbids(template: Path, what: str) -> None:
    found = re.search(FORBIDDEN[what], template.read_text(encoding="utf-8"), re.IGNORECASE)
    assert found is None, f"{what}: {found.group()}" if found else ""


@pytest.mark.parametrize("template", TEMPLATES, ids=name)
def test_a_template_can_be_parsed(template: Path) -> None:
    get_template(str(template.relative_to(ROOT / "templates")))


def test_every_static_file_that_is_named_exists() -> None:
    tags = re.compile(r"{%\s*static\s+['\"]([^'\"]+)['\"]")
    named = {path for file in TEMPLATES for path in tags.findall(file.read_text(encoding="utf-8"))}
    assert named
    assert [path for path in sorted(named) if finders.find(path) is None] == []


@pytest.mark.parametrize("file", [*SHEETS, *SCRIPTS], ids=name)
def test_style_sheets_and_scripts_load_nothing_from_elsewhere(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert re.search(r"@import|url\(|https?://|\beval\(|new Function|innerHTML", text) is None


def test_the_page_for_our_own_faults_needs_no_context() -> None:
    with plain_static:
        page = get_template("500.html").render()
    assert "Something went wrong" in page


# --- colours: WCAG 2.2 contrast of the tokens, computed from their oklch values ---------------

PAIRS = [
    ("ink", "paper", 7.0),
    ("ink", "card", 7.0),
    ("ink", "tint", 7.0),
    ("soft", "paper", 4.5),
    ("soft", "card", 4.5),
    ("soft", "tint", 4.5),
    ("soft", "sunk", 4.5),
    ("on-accent", "accent", 4.5),
    ("on-accent", "accent-deep", 4.5),
    ("accent-deep", "tint", 4.5),
    ("bad", "paper", 4.5),
    ("bad", "tint", 4.5),
    ("good", "sunk", 4.5),
    ("accent", "paper", 3.0),
    ("edge", "paper", 3.0),
    ("edge", "card", 3.0),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
def test_colours_can_be_told_apart(theme: str, front: str, back: str, least: float) -> None:
    tokens = read_tokens(theme)
    assert contrast(tokens[front], tokens[back]) >= least


def read_tokens(theme: str) -> dict[str, tuple[float, float, float]]:
    text = (ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    colour = r"oklch\(([^)]+)\)"
    found = re.findall(rf"--([a-z-]+): light-dark\({colour}, {colour}\)", text)
    values = {key: light if theme == "light" else dark for key, light, dark in found}
    parts = {key: [float(part) for part in value.split()] for key, value in values.items()}
    return {key: (each[0], each[1], each[2]) for key, each in parts.items()}


def contrast(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    darker, lighter = sorted((luminance(*one), luminance(*other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(lightness: float, chroma: float, hue: float) -> float:
    """Relative luminance of an oklch colour (CSS Color 4: oklch, oklab, linear sRGB)."""
    a = chroma * math.cos(math.radians(hue))
    b = chroma * math.sin(math.radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    red, green, blue = (min(1.0, max(0.0, channel)) for channel in (red, green, blue))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
