"""The repository is held to its word: what the documents name exists, and what exists is named."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.core.management import get_commands

from faceswap_site import env
from swaps.errors import SwapError
from swaps.models import Status
from tests.test_architecture import DEPTH, LAYERS, MODULES

ROOT = Path(__file__).parent.parent
TEMPLATES = ROOT / "templates"
# "cache" is where checkers and the test runner keep theirs.
NOT_OURS = {".venv", "var", ".git", "node_modules", ".pytest_cache", "bench-results"}
DOCUMENTS = sorted(
    path for path in ROOT.rglob("*.md") if not NOT_OURS & set(path.relative_to(ROOT).parts)
)
READERS = {"text", "secret", "flag", "integer", "strings", "folder", "url", "hosts"}
# What programs tell each other; nobody sets it.
INTERNAL = {"DJANGO_SETTINGS_MODULE", "FACESWAP_SUPERVISOR_PID"}
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def read(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Without code, in which brackets and hashes mean something else."""
    return CODE.sub("", FENCE.sub("", text))


def code_in(text: str) -> str:
    spans = CODE.findall(FENCE.sub("", text))
    fences = [match.group() for match in FENCE.finditer(text)]
    return "\n".join([*spans, *fences])


def first_cells(text: str, heading: str) -> list[str]:
    """The code in the first column of every table whose first heading is this."""
    cells, is_inside = [], False
    for line in text.splitlines():
        cell = line.split("|")[1].strip() if line.startswith("|") else ""
        if cell == heading:
            is_inside = True
        elif not line.startswith("|"):
            is_inside = False
        elif is_inside and (match := CODE.search(cell)):
            cells.append(match.group(1))
    return cells


# --- settings -----------------------------------------------------------------------------


def environment_reads() -> Iterator[tuple[str, ast.expr | None]]:
    """Each name that the code reads from the environment, with its default."""
    for package in ("faceswap_site", "swaps"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from _reads_of(node)


def _reads_of(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
        if isinstance(node.slice, ast.Constant):
            yield str(node.slice.value), None
        return
    if not isinstance(node, ast.Call) or not node.args:
        return
    first = node.args[0]
    function = ast.unparse(node.func)
    is_reader = function.startswith("env.") and function[4:] in READERS
    is_plain = function in {"os.environ.get", "os.environ.setdefault", "os.getenv"}
    if (is_reader or is_plain) and isinstance(first, ast.Constant):
        keyword = next((k.value for k in node.keywords if k.arg == "default"), None)
        yield str(first.value), node.args[1] if len(node.args) > 1 else keyword


EXAMPLE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def test_every_setting_that_is_read_stands_in_the_example_and_the_other_way_round() -> None:
    read_names = {name for name, _ in environment_reads()} - INTERNAL
    assert len(read_names) > 20
    assert {name for name, _ in EXAMPLE.findall(read(".env.example"))} == read_names


def test_the_example_names_each_setting_once_and_sets_none() -> None:
    text = read(".env.example")
    names = Counter(name for name, _ in EXAMPLE.findall(text))
    assert {name for name, count in names.items() if count > 1} == set()
    assert [line for line in text.splitlines() if line and not line.startswith("#")] == []


def test_the_example_shows_the_defaults_of_the_code() -> None:
    shown = dict(EXAMPLE.findall(read(".env.example")))
    for name, default in environment_reads():
        if name in INTERNAL or not isinstance(default, ast.Constant):
            continue
        value = default.value
        assert shown[name] == (str(int(value)) if isinstance(value, bool) else str(value)), name


def test_each_setting_in_the_example_is_explained() -> None:
    """The lines above it say what it does."""
    for block in read(".env.example").split("\n\n"):
        if EXAMPLE.search(block):
            assert re.match(r"# [^\n]*[a-z]", block), block


def test_settings_that_the_documents_name_exist() -> None:
    known = {name for name, _ in environment_reads()}
    known |= set(env.OLD_NAMES.values())
    known |= {f"{name}_FILE" for name in known}
    for path in DOCUMENTS:
        code = code_in(path.read_text(encoding="utf-8"))
        named = set(re.findall(r"\b(?:FACESWAP|EMAIL|AWS)_[A-Z0-9_]+\b", code))
        assert named <= known, path


# --- commands -----------------------------------------------------------------------------


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.MULTILINE))


def test_the_readme_is_short_and_names_how_to_run_and_test() -> None:
    text = read("README.md")
    assert len(text.splitlines()) <= 120
    assert {"run", "test"} <= set(re.findall(r"\bmake ([a-z]+)", code_in(text)))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_that_a_document_names_exist(path: Path) -> None:
    code = code_in(path.read_text(encoding="utf-8"))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= makefile_targets()
    assert set(re.findall(r"manage\.py ([a-z][a-z_]*)", code)) <= set(get_commands())


def test_each_command_of_ours_is_explained_to_operators() -> None:
    ours = {name for name, app in get_commands().items() if app == "swaps"}
    assert ours
    assert set(first_cells(read("docs", "operations.md"), "command")) == ours


def test_each_system_check_of_ours_is_explained_to_operators() -> None:
    checks = [path.read_text(encoding="utf-8") for path in (ROOT / "swaps" / "checks").glob("*.py")]
    ids = set(re.findall(r"swaps\.[EWI]\d{3}", "".join(checks)))
    assert ids
    assert set(first_cells(read("docs", "operations.md"), "check")) == ids


# --- documents ----------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The names that a page of Markdown gives its headings."""
    headings = re.findall(r"^#{1,6} (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for match in LINK.finditer(prose(text)):
        link = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{link}: no such file"
        assert target.is_relative_to(ROOT), f"{link}: outside of the repository"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{link}: no such heading"


def test_every_page_of_the_documentation_is_linked_from_another() -> None:
    linked = {
        (path.parent / link.partition("#")[0]).resolve()
        for path in DOCUMENTS
        for link, _ in LINK.findall(path.read_text(encoding="utf-8"))
        if link.partition("#")[0]
    }
    pages = {path for path in DOCUMENTS if "docs" in path.relative_to(ROOT).parts}
    assert pages - linked == set()


def test_every_requirement_is_explained_and_every_explained_package_is_required() -> None:
    required = {
        re.split(r"[\[=<>!~ ;]", line)[0].lower()
        for path in ROOT.glob("requirements*.txt")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line and not line.startswith(("#", "-"))
    }
    explained = first_cells(read("docs", "dependencies.md"), "package")
    assert sorted(explained) == sorted(required)


def test_every_error_code_is_explained() -> None:
    explained = first_cells(read("docs", "architecture.md"), "code")
    assert sorted(explained) == sorted(SwapError.by_code)


def test_every_status_of_a_swap_is_explained() -> None:
    assert sorted(first_cells(read("docs", "architecture.md"), "status")) == sorted(Status.values)


def test_the_changelog_has_a_place_for_what_comes_next() -> None:
    assert re.search(r"^## \[?Unreleased\]?$", read("CHANGELOG.md"), re.MULTILINE)


def test_decisions_are_numbered_without_gaps_and_say_what_follows() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert numbers == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(path.name[:4])}. "), path.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


# --- paths and names in the code ----------------------------------------------------------

OURS = ("faceswap_site", "swaps", "tests", "bench", "tools")
LAYER_NAMES = "|".join(sorted((name for names in LAYERS for name in names), key=len, reverse=True))
# `swaps/links.py`, `swaps/trust/` *(new)*; an object key like `swaps/<id>/…` is none.
PATH = re.compile(rf"(?<![\w./~:-])((?:{'|'.join(OURS)})/[\w./<>*-]*)")
# `settle.py`, `lifecycle/settle.py`
FILE = re.compile(r"(?<![\w./<>~:*-])((?:\w+/)*\w+\.py)\b")
# `swaps.links.callback_url`, `lifecycle.settle.settle`; an address like `https://api.…` is none.
NAME = re.compile(
    rf"(?<![\w./~:-])((?:swaps\.(?=[a-z_])|(?:{LAYER_NAMES})\.(?=[A-Za-z_]))\w+(?:\.\w+)*)"
)
NEW = re.compile(r"`([^`\n]+)`(?: and `([^`\n]+)`)? \*\(new\)\*")
ENDINGS = {"manage.py"} | {
    "/".join(path.relative_to(ROOT).parts[-count:])
    for folder in OURS
    for path in (ROOT / folder).rglob("*.py")
    for count in range(1, 9)
}
SUFFIXES = {"py", "md", "json", "html", "css", "js", "org", "com", "cloud", "sqlite3"}


def planned() -> set[str]:
    """What the documents mark as not there yet."""
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    return {name for text in texts for found in NEW.findall(text) for name in found if name}


def is_there(name: str) -> bool:
    """Whether ``models.swap.Swap.claim`` can be imported and looked up."""
    parts = ["swaps", *name.removeprefix("swaps.").split(".")]
    for end in range(len(parts), 0, -1):
        module = ".".join(parts[:end])
        if module not in MODULES:
            continue
        found: object = import_module(module)
        for attribute in parts[end:]:
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_in_the_code_that_a_document_names_exist(path: Path) -> None:
    code = code_in(path.read_text(encoding="utf-8"))
    named = {match.rstrip(".") for match in PATH.findall(code) if "<" not in match} - planned()
    assert {
        name for name in named if not (ROOT / name).exists() and not (TEMPLATES / name).exists()
    } == set()
    assert set(FILE.findall(code)) - planned() - ENDINGS == set()


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_and_functions_that_a_document_names_exist(path: Path) -> None:
    code = code_in(path.read_text(encoding="utf-8"))
    named = {name for name in NAME.findall(code) if name.rpartition(".")[2] not in SUFFIXES}
    assert {name for name in named if not is_there(name)} == set()


def test_a_name_that_does_not_exist_would_be_found() -> None:
    text = "`swaps/nowhere.py`, `swaps.links.nothing`, `nobody.py`, `lifecycle.settle.settle`"
    assert PATH.findall(code_in(text)) == ["swaps/nowhere.py"]
    assert set(FILE.findall(code_in(text))) - ENDINGS == {"swaps/nowhere.py", "nobody.py"}
    names = NAME.findall(code_in(text))
    assert [name for name in names if not is_there(name)] == ["swaps.links.nothing"]
    assert "lifecycle.settle.settle" in names


def test_what_is_marked_as_new_does_not_exist_and_has_a_place() -> None:
    """Whoever makes it takes the mark away."""
    assert "swaps/trust/" in planned()
    for name in planned():
        assert not (ROOT / name).exists(), name
        assert (ROOT / name).parent.is_dir(), name


def rooms() -> dict[str, set[str]]:
    """From the tables of architecture.md: the modules that are named for each package."""
    found = {}
    for line in read("docs", "architecture.md").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and (match := re.fullmatch(r"`(\w+)`", cells[0])):
            found[match.group(1)] = set(CODE.findall(cells[2]))
    return found


def test_the_picture_of_the_layers_is_the_one_that_is_tested() -> None:
    """Who adds a package draws it in docs/architecture.md, and gives it a row in the tables."""
    picture = re.findall(r"^ │ ([\w ·]+?) *│", read("docs", "architecture.md"), re.MULTILINE)
    assert [tuple(line.split(" · ")) for line in picture] == list(LAYERS)


def test_each_package_has_a_row_that_names_modules_of_its_own() -> None:
    packages = {name: names for name, names in rooms().items() if name in DEPTH}
    assert set(packages) == set(DEPTH)
    for package, names in packages.items():
        folder = ROOT / package if package == "faceswap_site" else ROOT / "swaps" / package
        if package == "management":
            folder /= "commands"
        there = {path.stem for path in folder.glob("*.py")} | {
            f"{path.name}/" for path in folder.glob("[a-z]*/")
        }
        assert names <= there, package


def test_each_package_says_in_its_docstring_what_it_is() -> None:
    """One that holds code has one: ``swaps/migrations`` is Django's, ``management`` its folder."""
    for path in (ROOT / "swaps").rglob("__init__.py"):
        if path.parent.name not in {"migrations", "management"}:
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
