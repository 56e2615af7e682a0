"""Imports run downwards only, as the picture in docs/architecture.md says.

The syntax trees are read, so imports inside functions count like those at the top.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("faceswap_site", "swaps")

# From the top down. A module may import from its own box and from the layers below.
LAYERS = {
    "START": "faceswap_site.* swaps.apps swaps.management.* swaps.web_server swaps.web_worker",
    "DOORS": "swaps.views.* swaps.forms swaps.urls swaps.uploads swaps.admin.* swaps.api.* "
    "swaps.callbacks swaps.strange_requests swaps.middleware "
    "swaps.accounts.adapter swaps.accounts.forms swaps.accounts.limits "
    "swaps.accounts.tokens swaps.accounts.urls swaps.accounts.views",
    "STORY": "swaps.services swaps.photos swaps.retention swaps.intake swaps.deliveries "
    "swaps.access swaps.playground swaps.tasks swaps.mail swaps.recovery swaps.signals "
    "swaps.submissions.* swaps.inbox swaps.accounts.possession",
    "STATE": "swaps.models.* swaps.links swaps.quota swaps.moderation swaps.throttle "
    "swaps.wire swaps.inspector swaps.heartbeat swaps.checks "
    "swaps.checks_address swaps.checks_deployment swaps.provider_figures",
    "WORK": "swaps.providers.embedded swaps.providers.hosted swaps.providers.hosted_* "
    "swaps.providers.finish",
    "MATERIAL": "swaps.cache swaps.net swaps.net_* swaps.room swaps.decode_budget swaps.storage "
    "swaps.storage_* swaps.images swaps.image_* swaps.provenance swaps.engine_models",
    "ENGINE": "swaps.engine.*",
    "WORDS": "swaps.log_secrets swaps.errors swaps.providers.base swaps.outcomes "
    "swaps.shares swaps.supervisor swaps.unpacking swaps.data_urls",
}
# STATE and WORK stand side by side; so do MATERIAL and ENGINE.
DEPTH = dict(zip(LAYERS, (0, 1, 2, 3, 3, 4, 4, 5), strict=True))
IN_NO_BOX = {"swaps", "swaps.accounts", "swaps.providers", "swaps.submissions", "swaps.migrations"}
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


def top_of(name: str) -> str:
    return name.partition(".")[0]


def imported_by(modules: Iterable[str], is_meant: Callable[[str], bool]) -> set[str]:
    return {
        f"{module} imports {name}"
        for module in modules
        for name in imports_of(module)
        if is_meant(name)
    }


def test_every_module_stands_in_the_picture() -> None:
    homeless = {module for module in MODULES if box_of(module) is None}
    assert homeless <= IN_NO_BOX


def test_no_box_of_the_picture_is_empty() -> None:
    assert {box_of(module) for module in MODULES} >= set(LAYERS)


def test_imports_run_downwards_only() -> None:
    upwards = []
    for module in MODULES:
        here = box_of(module)
        for imported in ours(imports_of(module)):
            there = box_of(imported)
            if there in {None, here} or (here and there and DEPTH[there] > DEPTH[here]):
                continue
            upwards.append(f"{module} ({here}) imports {imported} ({there})")
    assert upwards == []


def test_modules_that_load_each_other_do_so_late() -> None:
    """At the top of the modules there is no circle."""
    top = {module: ours(names_in(tree_of(module).body)) - {module} for module in MODULES}
    while leaves := {module for module, imported in top.items() if not imported & set(top)}:
        for leaf in leaves:
            del top[leaf]
    assert not top


def test_the_engine_knows_nobody() -> None:
    """It imports itself, its libraries, Pillow (it takes its pictures), nothing with a network."""
    allowed = ENGINE_LIBRARIES | {"PIL"} | (sys.stdlib_module_names - NETWORK)
    assert (
        imported_by(
            modules_in("ENGINE"),
            lambda name: not is_within(name, "swaps.engine") and top_of(name) not in allowed,
        )
        == set()
    )


def test_words_need_the_standard_library_only() -> None:
    assert (
        imported_by(modules_in("WORDS"), lambda name: top_of(name) not in sys.stdlib_module_names)
        == set()
    )


def test_only_provider_and_engine_touch_the_engines_libraries() -> None:
    others = set(MODULES) - set(modules_in("ENGINE", "WORK"))
    assert imported_by(others, lambda name: top_of(name) in ENGINE_LIBRARIES) == set()


def test_doors_touch_neither_providers_nor_tasks() -> None:
    forbidden = ("swaps.providers", "swaps.tasks", "swaps.engine")
    assert (
        imported_by(
            modules_in("DOORS"), lambda name: any(is_within(name, one) for one in forbidden)
        )
        == set()
    )


def test_doors_never_write_to_the_storage() -> None:
    """They may read pictures, and ask whether the storage is alive."""
    forbidden = {
        "swaps.storage.put",
        "swaps.storage.delete",
        "django.core.files.storage.default_storage",
    }
    assert imported_by(modules_in("DOORS"), lambda name: name in forbidden) == set()
    calls = {
        f"{module} calls {ast.unparse(node)}"
        for module in modules_in("DOORS")
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in {"storage.put", "storage.delete"}
    }
    assert calls == set()


def test_views_read_pictures_in_one_place() -> None:
    readers = {
        module
        for module in MODULES
        if is_within(module, "swaps.views") and "swaps.storage" in ours(imports_of(module))
    }
    assert readers == {"swaps.views.pictures", "swaps.views.health"}


def test_below_the_doors_nobody_knows_http() -> None:
    below = set(MODULES) - set(modules_in("START", "DOORS"))
    assert (
        imported_by(below, lambda name: any(is_within(name, package) for package in HTTP)) == set()
    )


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
    forbidden = {*ENGINE_LIBRARIES, "swaps.engine", "swaps.providers.embedded"}
    assert sorted(loaded & forbidden) == []
