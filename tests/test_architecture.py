"""Imports run downwards only, as the picture in docs/architecture.md says.

The syntax trees are read, so imports inside functions count like those at the top.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("faceswap_site", "swaps")

# From the top down. A module may import from its own box and from the layers below.
LAYERS = {
    "START": "faceswap_site.* swaps.apps swaps.management.* swaps.web_server",
    "DOORS": "swaps.views.* swaps.forms swaps.urls swaps.uploads swaps.admin.* swaps.api.* "
    "swaps.callbacks",
    "STORY": "swaps.services swaps.tasks swaps.recovery swaps.signals",
    "STATE": "swaps.models.* swaps.links swaps.quota swaps.moderation swaps.throttle "
    "swaps.heartbeat swaps.checks",
    "WORK": "swaps.providers.embedded swaps.providers.hosted",
    "MATERIAL": "swaps.net swaps.storage swaps.images swaps.image_* swaps.provenance",
    "ENGINE": "swaps.engine.*",
    "WORDS": "swaps.errors swaps.providers.base swaps.supervisor",
}
# STATE and WORK stand side by side; so do MATERIAL and ENGINE.
DEPTH = dict(zip(LAYERS, (0, 1, 2, 3, 3, 4, 4, 5), strict=True))
IN_NO_BOX = {"swaps", "swaps.providers", "swaps.migrations"}
ENGINE_LIBRARIES = {"cv2", "ai_edge_litert", "numpy"}
HTTP = ("django.http", "django.shortcuts", "django.views", "django.forms", "django_htmx", "ninja")
NETWORK = {"socket", "ssl", "http", "urllib", "ftplib", "smtplib", "asyncio", "subprocess"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {
    name_of(path): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
    if "migrations" not in path.parts
}


@cache
def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def names_in(nodes: Iterable[ast.AST]) -> set[str]:
    """Every imported name, in full: ``from swaps import errors`` is ``swaps.errors``."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def imports_of(module: str) -> frozenset[str]:
    return frozenset(names_in(ast.walk(tree_of(module))))


def ours(names: Iterable[str]) -> set[str]:
    """The modules of ours among them: of ``swaps.models.Swap`` it is ``swaps.models``."""
    found = set()
    for name in names:
        module = name
        while module and module not in MODULES:
            module = module.rpartition(".")[0]
        found.add(module)
    return found - {""}


def box_of(module: str) -> str | None:
    for box, patterns in LAYERS.items():
        for pattern in patterns.split():
            if fnmatchcase(module, pattern) or f"{module}.*" == pattern:
                return box
    return None


def modules_in(*boxes: str) -> list[str]:
    return [module for module in MODULES if box_of(module) in boxes]


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_every_module_stands_in_the_picture() -> None:
    homeless = {module for module in MODULES if box_of(module) is None}
    assert homeless <= IN_NO_BOX


def test_no_box_of_the_picture_is_empty() -> None:
    assert {box_of(module) for module in MODULES} >= set(LAYERS)


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downwards_only(module: str) -> None:
    here = box_of(module)
    if here is None:
        assert not ours(imports_of(module))
        return
    for imported in ours(imports_of(module)):
        there = box_of(imported)
        assert there is None or there == here or DEPTH[there] > DEPTH[here], (
            f"{module} ({here}) imports {imported} ({there})"
        )


def test_modules_that_load_each_other_do_so_late() -> None:
    """At the top of the modules there is no circle."""
    top = {module: ours(names_in(tree_of(module).body)) - {module} for module in MODULES}
    while leaves := {module for module, imported in top.items() if not imported & set(top)}:
        for leaf in leaves:
            del top[leaf]
    assert not top


@pytest.mark.parametrize("module", modules_in("ENGINE"))
def test_the_engine_knows_nobody(module: str) -> None:
    for name in imports_of(module):
        package = name.split(".")[0]
        assert (
            is_within(name, "swaps.engine")
            or package in ENGINE_LIBRARIES
            or (package in sys.stdlib_module_names and package not in NETWORK)
        ), f"{module} imports {name}"


@pytest.mark.parametrize("module", modules_in("WORDS"))
def test_words_need_the_standard_library_only(module: str) -> None:
    assert {name.split(".")[0] for name in imports_of(module)} <= sys.stdlib_module_names


@pytest.mark.parametrize("module", MODULES)
def test_only_provider_and_engine_touch_the_engines_libraries(module: str) -> None:
    if box_of(module) in {"ENGINE", "WORK"}:
        return
    assert not {name.split(".")[0] for name in imports_of(module)} & ENGINE_LIBRARIES


@pytest.mark.parametrize("module", modules_in("DOORS"))
def test_doors_touch_neither_providers_nor_tasks(module: str) -> None:
    for name in imports_of(module):
        assert not is_within(name, "swaps.providers"), f"{module} imports {name}"
        assert not is_within(name, "swaps.tasks"), f"{module} imports {name}"
        assert not is_within(name, "swaps.engine"), f"{module} imports {name}"


@pytest.mark.parametrize("module", modules_in("DOORS"))
def test_doors_never_write_to_the_storage(module: str) -> None:
    """They may read pictures, and ask whether the storage is alive."""
    assert not {"swaps.storage.put", "swaps.storage.delete"} & imports_of(module)
    assert "django.core.files.storage.default_storage" not in imports_of(module)
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in {("storage", "put"), ("storage", "delete")}


@pytest.mark.parametrize("module", [m for m in MODULES if is_within(m, "swaps.views")])
def test_views_read_pictures_in_one_place(module: str) -> None:
    if module in {"swaps.views.pictures", "swaps.views.health"}:
        return
    assert "swaps.storage" not in ours(imports_of(module))


@pytest.mark.parametrize(
    "module", modules_in("STORY", "STATE", "WORK", "MATERIAL", "ENGINE", "WORDS")
)
def test_below_the_doors_nobody_knows_http(module: str) -> None:
    for name in imports_of(module):
        assert not any(is_within(name, package) for package in HTTP), f"{module} imports {name}"


def test_a_task_takes_ids_and_never_a_request() -> None:
    tasks = [
        node
        for node in ast.walk(tree_of("swaps.tasks"))
        if isinstance(node, ast.FunctionDef)
        and any("task" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    assert tasks
    for node in tasks:
        assert node.args.vararg is None
        assert node.args.kwarg is None
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            assert argument.annotation
            assert ast.unparse(argument.annotation) in {"str", "int"}, f"{node.name}"


def test_a_web_process_never_loads_the_engine(tmp_path: Path) -> None:
    program = """
import json, sys, warnings
warnings.simplefilter("ignore")  # static files are not collected here
import faceswap_site.wsgi
from django.urls import get_resolver
assert get_resolver().reverse_dict  # every urlconf is imported
import swaps.tasks
print(json.dumps(sorted(sys.modules)))
"""
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "", "FACESWAP_VAR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    loaded = set(json.loads(finished.stdout))
    assert {"swaps.views.pictures", "swaps.images"} <= loaded
    assert not loaded & {*ENGINE_LIBRARIES, "swaps.engine", "swaps.providers.embedded"}
