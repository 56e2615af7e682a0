"""Template filters that write a value as a literal of a programming language.

Any text may stand in a call. What would end a literal, or cannot be seen, is escaped as the
language has it, so a program sends exactly what the page shows.
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django import template

register = template.Library()

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
Quote = Callable[[str], str]


@register.filter
def shell(text: str) -> str:
    """Quote a word for a POSIX shell."""
    return "'" + text.replace("'", "'\\''") + "'"


@register.filter
def python(value: Any) -> str:
    """Write text, number, boolean, list or object in Python."""
    quote = _quoting(escape_utf32)
    return _literal(value, quote, true="True", false="False", entry=lambda name: f"{quote(name)}: ")


@register.filter
def javascript(value: Any) -> str:
    """Write text, number, boolean, list or object in JavaScript, also inside of an HTML page."""
    return _literal(
        value,
        _quote_javascript,
        entry=lambda name: f"{javascript_key(name)}: ",
        braces=("{ ", " }"),
    )


@register.filter
def javascript_key(name: str) -> str:
    """Write the key of an object in JavaScript, quoted where that is needed."""
    return name if IDENTIFIER.fullmatch(name) else _quote_javascript(name)


@register.filter
def java(text: str) -> str:
    """Quote text for Java, in ASCII alone, whatever the compiler takes for the file's encoding.

    Control characters are octal: Java reads a Unicode escape of one as the end of a line.
    """
    return _quoting(lambda c: f"\\{ord(c):03o}" if c.isascii() else escape_utf16(c), is_ascii=True)(
        text
    )


@register.filter
def go(text: str) -> str:
    """Quote text for Go."""
    return _quoting(escape_utf32)(text)


@register.filter
def go_raw(text: str) -> str:
    """Quote JSON for Go as a raw string, which nothing but a backtick ends."""
    return "`" + text.replace("`", "\\u0060") + "`"


@register.filter
def php(value: Any) -> str:
    """Write text, number, boolean, list or object in PHP."""
    quote = _quoting(_escape_in_braces, special={"$": "\\$"})
    return _literal(value, quote, entry=lambda name: f"{quote(name)} => ", braces=("[", "]"))


def escape_utf16(character: str) -> str:
    r"""Escape a character as JSON does, like ``\ud83d\ude42``."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def escape_utf32(character: str) -> str:
    r"""Escape a character as Python and Go do, like ``\U0001f642``."""
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _escape_in_braces(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def _quote_javascript(text: str) -> str:
    """Quote text for JavaScript so that it cannot end a script element."""
    return _quoting(_escape_in_braces)(text).replace("</", "<\\/")


def _quoting(escape: Quote, *, special: Mapping[str, str] = {}, is_ascii: bool = False) -> Quote:
    """Return a function that quotes text; ``escape`` writes a character that cannot be seen."""
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", **special}

    def shown(character: str) -> str:
        if character in named:
            return named[character]
        is_plain = character.isprintable() and (character.isascii() or not is_ascii)
        return character if is_plain else escape(character)

    return lambda text: f'"{"".join(map(shown, text))}"'


def _literal(
    value: Any,
    quote: Quote,
    *,
    entry: Quote,
    braces: tuple[str, str] = ("{", "}"),
    true: str = "true",
    false: str = "false",
) -> str:
    """Write a value; ``entry`` writes a key of an object, and ``braces`` are around objects."""

    def write(part: Any) -> str:
        return _literal(part, quote, entry=entry, braces=braces, true=true, false=false)

    if isinstance(value, str):
        return quote(value)
    if isinstance(value, bool):
        return true if value else false
    if isinstance(value, list):
        return f"[{', '.join(map(write, value))}]"
    if isinstance(value, dict):
        parts = ", ".join(entry(name) + write(part) for name, part in value.items())
        return f"{braces[0]}{parts}{braces[1]}"
    return json.dumps(value)
