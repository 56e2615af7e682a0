"""Prepares results for judges who do not know which method made them: a form, and sheets.

Each picture has a code: a hash of its digest with a salt that stays on this machine. Ordered by
code the pictures are shuffled, a method that repeats another's picture does not show, and another
run gives the same picture the same code. The key lies outside the judges' folder.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
FORM = Path(__file__).with_name("form.html")
SHEET_ROWS = 4
SIDE = 316  # of a face on a sheet; with four rows it can be looked at in one piece
CAPTION = 24


def salt(path: Path) -> str:
    """Return the salt kept in a file; it is made when there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(16), encoding="utf-8")
    return path.read_text(encoding="utf-8")


def code_of(digest: str, secret: str) -> str:
    """Return six letters or digits that say nothing about a picture without the salt."""
    number = int.from_bytes(hashlib.sha256((secret + digest).encode()).digest()[:8], "big")
    letters = []
    for _ in range(6):
        number, letter = divmod(number, len(CODE_LETTERS))
        letters.append(CODE_LETTERS[letter])
    return "".join(letters)


def key_of(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, str]]:
    """Return code → digest, source, target and method of each result, ordered by code.

    Of methods that made the same picture the first is named.
    """
    names = ("digest", "source", "target", "method")
    key: dict[str, dict[str, str]] = {}
    for record in records:
        if "error" not in record:
            key.setdefault(record["code"], {name: record[name] for name in names})
    return dict(sorted(key.items()))


def write_form(folder: Path, items: list[dict[str, str]]) -> Path:
    """Write form.html; an item has a code, and the paths of source, target and result."""
    page = FORM.read_text(encoding="utf-8").replace("[/*items*/]", json.dumps(items))
    path = folder / "form.html"
    path.write_text(page, encoding="utf-8")
    return path


def write_sheets(folder: Path, items: list[dict[str, str]]) -> int:
    """Write sheets as PNG: per row a code, source, target and result. Return their number."""
    sheets = [items[i : i + SHEET_ROWS] for i in range(0, len(items), SHEET_ROWS)]
    for number, rows in enumerate(sheets, 1):
        sheet = Image.new("RGB", (3 * SIDE, SHEET_ROWS * (SIDE + CAPTION)), "white")
        draw = ImageDraw.Draw(sheet)
        for row, item in enumerate(rows):
            top = row * (SIDE + CAPTION)
            words = f"{item['code']}        source  |  target  |  result"
            draw.text((6, top + 2), words, fill="black", font_size=18)
            for column, name in enumerate(("source", "target", "result")):
                with Image.open(folder / item[name]) as face:
                    sheet.paste(face.resize((SIDE, SIDE)), (column * SIDE, top + CAPTION))
        sheet.save(folder / f"sheet-{number:02}.png")
    return len(sheets)
