"""Evidence of failed browser tests: screenshots of their pages and the sites' logs, as files.

They lie in ``var/e2e/<test>/``, and the report of the failure names that folder. Screenshots are
taken before the pages are closed, so a failure in a fixture leaves them as well.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext

FOLDER = Path(__file__).resolve().parents[1] / "var" / "e2e"
TAIL = 4000
# The contexts of the test that runs, and where it began in each log.
_contexts: list[BrowserContext] = []
_beginnings: dict[str, tuple[Path, int]] = {}
_growing: set[str] = set()


@contextlib.contextmanager
def keeping_log(name: str, log: Path) -> Iterator[None]:
    """Keep what a failing test adds to this log, the end of the context included."""
    _growing.add(name)
    _beginnings[name] = (log, 0)
    try:
        yield
    finally:
        _growing.discard(name)


def watch(context: BrowserContext) -> None:
    """Take screenshots of this context's pages when the running test fails."""
    _contexts.append(context)


def begin(item: pytest.Item) -> None:
    """Delete the evidence of an earlier test or run."""
    shutil.rmtree(folder_of(item), ignore_errors=True)
    _contexts.clear()
    for name, (log, _) in list(_beginnings.items()):
        del _beginnings[name]
        if name in _growing:
            _beginnings[name] = (log, log.stat().st_size if log.exists() else 0)


def leave(item: pytest.Item, report: pytest.TestReport) -> None:
    """Write the files of a failed phase, and name them in its report."""
    photograph(item)
    for name, (log, start) in _beginnings.items():
        text = _read(log, start)
        _write(item, f"{name}.log", text)
        report.sections.append((f"log of {name}", text[-TAIL:]))
    folder = folder_of(item)
    if folder.is_dir():
        names = "\n".join(sorted(path.name for path in folder.iterdir()))
        report.sections.append(("what this failure left", f"{folder}/\n{names}"))


def photograph(item: pytest.Item) -> None:
    """Take a screenshot of each open page, or write why that failed."""
    contexts, _contexts[:] = list(_contexts), []
    for visitor, context in enumerate(contexts):
        if not context.pages:
            _write(item, f"visitor-{visitor}.txt", "No picture: no page was open any more.\n")
        for number, page in enumerate(context.pages):
            name = f"visitor-{visitor}-page-{number}"
            try:
                data = page.screenshot(full_page=True, timeout=5_000)
            except Exception as error:  # noqa: BLE001 - the test's own failure is what counts
                _write(item, f"{name}.txt", f"No picture of {page.url}: {error}\n")
            else:
                _write(item, f"{name}.png", data)


def folder_of(item: pytest.Item) -> Path:
    """Return a test's folder: ``test_keys.py::test_a_key[light]`` has ``keys-a-key-light``."""
    words = [part.removeprefix("test_") for part in (item.path.stem, item.name)]
    name = re.sub(r"[^a-z0-9]+", "-", "-".join(words).lower()).strip("-")[:150]
    database = os.environ.get("TEST_ON", "")
    return FOLDER / (f"{name}-on-{database}" if database else name)


def _write(item: pytest.Item, name: str, content: bytes | str) -> None:
    folder = folder_of(item)
    folder.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    (folder / name).write_bytes(data)


def _read(log: Path, start: int) -> str:
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode(errors="replace")
