"""Imports run downwards only, as the picture in docs/architecture.md says.

The syntax trees are read, so imports inside functions count like those at the top.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import get_args

from swaps import queue

ROOT = Path(__file__).parent.parent
PACKAGES = ("faceswap_site", "swaps")

# From the top down; what stands in one line may not import each other. The picture is drawn in
# docs/architecture.md. A package stands for all its modules.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("faceswap_site",),
    ("apps", "management"),
    ("processes", "urls"),
    ("admin",),
    ("views",),
    ("api",),
    ("middleware", "upload_handlers", "context_processors"),
    ("tasks", "clock"),
    ("hosted",),
    ("lifecycle",),
    ("deliveries", "mail", "accounts"),
    ("providers", "serializers", "signals", "checks", "heartbeat"),
    ("links", "provenance", "models"),
    ("storage", "images", "engines"),
    ("net", "runtime", "queue"),
    ("errors",),
    ("messages", "redaction", "sizes"),
)
START = {"faceswap_site", "apps", "management", "processes"}
DOORS = {
    *("admin", "views", "api", "urls"),
    *("middleware", "upload_handlers", "context_processors"),
}
# Django's own applications ask these for HTTP.
HTTP_BELOW_THE_DOORS = {"swaps.accounts.adapter", "swaps.accounts.limits"}
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


def package_of(module: str) -> str:
    """What stands in the picture for a module: ``images`` for ``swaps.images.pixels``."""
    return module.split(".")[1] if module.startswith("swaps.") else top_of(module)


DEPTH = {name: depth for depth, names in enumerate(LAYERS) for name in names}


def modules_in(packages: Iterable[str]) -> list[str]:
    return [module for module in MODULES if package_of(module) in set(packages)]


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


def circle_in(graph: Mapping[str, Iterable[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []


def test_every_module_stands_in_the_picture_and_the_picture_names_nothing_else() -> None:
    packages = {package_of(module) for module in MODULES if module.startswith("swaps.")}
    assert packages | {"faceswap_site"} == set(DEPTH)


def test_imports_run_downwards_only() -> None:
    upwards = [
        f"{module} imports {imported}"
        for module in MODULES
        for imported in ours(imports_of(module))
        if package_of(imported) != package_of(module)
        and DEPTH[package_of(imported)] <= DEPTH[package_of(module)]
    ]
    assert upwards == []


def test_no_modules_import_each_other_in_a_circle_at_any_hour() -> None:
    assert circle_in({module: ours(imports_of(module)) - {module} for module in MODULES}) == []


def test_no_packages_import_each_other_in_a_circle_at_any_hour() -> None:
    graph: dict[str, set[str]] = {}
    for module in MODULES:
        here = package_of(module)
        imported = {package_of(name) for name in ours(imports_of(module))}
        graph.setdefault(here, set()).update(imported - {here})
    assert circle_in(graph) == []


def test_a_circle_would_be_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})


def test_few_modules_lie_flat_in_swaps() -> None:
    flat = [path.name for path in (ROOT / "swaps").glob("*.py") if path.name != "__init__.py"]
    assert len(flat) <= 16


def test_no_module_is_longer_than_300_lines() -> None:
    long = {
        module: lines
        for module, path in MODULES.items()
        if module.startswith("swaps")
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}


def test_every_task_that_is_enqueued_by_name_exists() -> None:
    tasks = {
        node.name
        for node in ast.walk(tree_of("swaps.tasks"))
        if isinstance(node, ast.FunctionDef) and node.decorator_list
    }
    assert tasks - {"_settle_on_error"} == set(get_args(queue.TaskName))


def test_the_engine_knows_nobody() -> None:
    """It imports itself, its libraries, Pillow (it takes its pictures), nothing with a network."""
    engine = [module for module in MODULES if is_within(module, "swaps.engines.classical")]
    allowed = ENGINE_LIBRARIES | {"PIL"} | (sys.stdlib_module_names - NETWORK)
    assert (
        imported_by(
            engine,
            lambda name: (
                not is_within(name, "swaps.engines.classical") and top_of(name) not in allowed
            ),
        )
        == set()
    )


def test_errors_and_redaction_need_the_standard_library_only() -> None:
    assert (
        imported_by(
            modules_in({"errors", "messages", "redaction"}),
            lambda name: (
                top_of(name) not in sys.stdlib_module_names
                and not is_within(name, "swaps.messages")
            ),
        )
        == set()
    )


def test_only_provider_and_engine_touch_the_engines_libraries() -> None:
    others = set(MODULES) - set(modules_in({"engines", "providers"}))
    assert imported_by(others, lambda name: top_of(name) in ENGINE_LIBRARIES) == set()


def test_doors_touch_neither_providers_nor_tasks() -> None:
    forbidden = ("swaps.providers", "swaps.tasks", "swaps.engines")
    assert (
        imported_by(modules_in(DOORS), lambda name: any(is_within(name, one) for one in forbidden))
        == set()
    )


def test_doors_never_write_to_the_storage() -> None:
    """They may read pictures, and ask whether the storage is alive."""
    forbidden = {
        "swaps.storage.put",
        "swaps.storage.delete",
        "django.core.files.storage.default_storage",
    }
    assert imported_by(modules_in(DOORS), lambda name: name in forbidden) == set()
    calls = {
        f"{module} calls {ast.unparse(node)}"
        for module in modules_in(DOORS)
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
    below = set(MODULES) - set(modules_in(START | DOORS)) - HTTP_BELOW_THE_DOORS
    below = {module for module in below if module.startswith("swaps")}
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
    forbidden = {*ENGINE_LIBRARIES, "swaps.engines.classical", "swaps.providers.embedded"}
    assert sorted(loaded & forbidden) == []
