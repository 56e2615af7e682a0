"""Runs the engine of any commit, in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Swap = Callable[[Path, Path, Path], dict[str, Any]]  # source, target, result to write → figures
WORKER = Path(__file__).with_name("swap_worker.py")


def export(repository: Path, commit: str, folder: Path) -> Path:
    """Unpack the code of a commit into a folder below ``folder``, once, and return that folder."""
    name = subprocess.run(
        ["git", "-C", repository, "rev-parse", "--short=12", f"{commit}^{{commit}}"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    release = folder / f"release-{name}"
    if not release.exists():
        unfinished = folder / f"release-{name}.part"
        unfinished.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(
            ["git", "-C", repository, "archive", name, "swaps"], check=True, stdout=subprocess.PIPE
        )
        subprocess.run(["tar", "-x", "-C", unfinished], input=archive.stdout, check=True)
        unfinished.rename(release)
    return release


@contextmanager
def engine_of(release: Path, models: Path) -> Iterator[Swap]:
    """Yield a function that swaps with a release's engine, on one thread."""
    environment = os.environ | {"PYTHONPATH": str(release), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-P", str(WORKER), str(models)]
    with subprocess.Popen(
        command, env=environment, cwd=release, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        requests, answers = process.stdin, process.stdout
        assert requests is not None
        assert answers is not None

        def swap(source: Path, target: Path, result: Path) -> dict[str, Any]:
            job = {"source": str(source), "target": str(target), "result": str(result)}
            with suppress(BrokenPipeError):  # the empty answer tells
                requests.write(json.dumps(job) + "\n")
                requests.flush()
            line = answers.readline()
            if not line:
                raise SystemExit(f"the engine in {release} broke on {source.name} → {target.name}")
            figures: dict[str, Any] = json.loads(line)
            return figures

        yield swap
