"""Writes report.html: the figures, and each pair's source, target and results side by side."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from bench.pictures.tables import Record

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 1rem }
table { border-collapse: collapse } td, th { padding: .1rem .6rem; text-align: right }
td:first-child, th:first-child { text-align: left }
.pair { display: flex; flex-wrap: wrap; gap: .5rem; margin-bottom: 1.5rem }
figure { margin: 0; width: 300px } img { width: 300px; height: 300px }
"""
SHOWN = ("all", "dark skin", "no dark skin")


def write(folder: Path, records: Sequence[Record], summed: dict[str, Any]) -> Path:
    """Write the report; ``summed`` is tables.summary(), faces lie in blind/."""
    pairs: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        pairs.setdefault((record["source"], record["target"]), []).append(record)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><title>Pictures of the engine</title>",
        f"<style>{STYLE}</style><h1>Pictures of the engine</h1>",
        *(_table(split, summed) for split in next(iter(summed.values()), {})),
        *(_pair(number, rows) for number, rows in enumerate(pairs.values(), 1)),
    ]
    path = folder / "report.html"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def _table(split: str, summed: dict[str, Any]) -> str:
    names = next(iter(summed.values()))[split]
    head = "".join(f"<th>{escape(method)}" for method in summed)
    rows = "".join(
        f"<tr><td>{escape(name)}" + "".join(f"<td>{_cell(m[split][name])}" for m in summed.values())
        for name in names
    )
    is_open = " open" if split in SHOWN else ""
    return (
        f"<details{is_open}><summary>{escape(split)}</summary>"
        f"<table><tr><th>{head}{rows}</table></details>"
    )


def _pair(number: int, records: list[Record]) -> str:
    first = records[0]
    title = f"{number}. {first['source']} → {first['target']}: {', '.join(first['kinds'])}"
    pictures = [
        _figure(first["source_face"], "source"),
        _figure(first["target_face"], "target"),
        _figure(first["source_parse"], "source's parse: beard brown, glasses blue, other red", ""),
        _figure(first["target_parse"], "target's parse", ""),
        *(_figure(record.get("result_face"), _caption(record)) for record in records),
    ]
    return f"<h2>{escape(title)}</h2><div class=pair>{''.join(pictures)}</div>"


def _caption(record: Record) -> str:
    words = [record["method"]]
    if "error" in record:
        words.append(record["error"])
    if record.get("to_source") is not None and record.get("to_target") is not None:
        words.append(f"{record['to_source']:.2f} to source, {record['to_target']:.2f} to target")
    if "clean" in record:
        words.append(f"clean {record['clean']:.0%}, the person {record['person']:.0%}")
    return ", ".join([*words, *record.get("warnings", [])])


def _figure(path: str | None, caption: str, folder: str = "blind/") -> str:
    image = f'<img src="{folder}{escape(path)}" loading=lazy alt="">' if path else ""
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
