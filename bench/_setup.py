"""Sets up a site for a benchmark, and reports its figures."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench-results"


def prepare(**extra: str) -> dict[str, str]:
    """Create an empty site in a temporary folder, set Django up for it, and return its environment.

    Call it before anything of the site is imported.
    """
    models = os.environ.get("FACESWAP_MODELS_DIR") or str(ROOT / "var" / "models")
    environment = {
        "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
        "FACESWAP_VAR": tempfile.mkdtemp(prefix="faceswap-bench-"),
        "FACESWAP_MODELS_DIR": models,
        "DATABASE_URL": "",
        **extra,
    }
    os.environ.update(environment)
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    return environment


def report(name: str, figures: Mapping[str, object]) -> None:
    """Print a table and JSON, and write the JSON to ``bench-results/``."""
    width = max(map(len, figures))
    print(f"\n{name}")
    for label, value in figures.items():
        print(f"  {label:<{width}}  {value}")
    text = json.dumps({"bench": name, **figures}, ensure_ascii=False)
    print(text, flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
