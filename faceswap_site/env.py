"""Typed, loud reads of the environment.

A setting that cannot be understood stops the program with its name and what was expected.
A secret may be given as a file: ``NAME_FILE`` names it (Docker and systemd hand them over so).
"""

import contextlib
import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from swaps.net.names import ascii_host, ascii_url


def load_dotenv(path: Path) -> None:
    """Read ``NAME=value`` lines; what the environment already says wins."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def secret(name: str, default: str = "") -> str:
    """The value of NAME, or what is written in the file that NAME_FILE names."""
    path = text(f"{name}_FILE")
    if not path:
        return text(name, default)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}") from error


def flag(name: str, *, default: bool = False) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: expected one of 1, 0, true, false, yes, no")


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r}: expected a whole number") from error
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number}: expected at least {minimum}")
    return number


def words(name: str) -> list[str]:
    """A comma-separated list, empty when unset."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def address(name: str, default: str = "") -> str:
    """A URL without a slash at its end, its host in ASCII. What has no such form is left: E025."""
    value = text(name, default).rstrip("/")
    with contextlib.suppress(ValueError):
        return ascii_url(value)
    return value


def hosts(name: str) -> list[str]:
    """A list of host names, in ASCII. What has no such form is left: E025."""
    return [_in_ascii(word) for word in words(name)]


def _in_ascii(host: str) -> str:
    with contextlib.suppress(ValueError):
        dot = "." if host.startswith(".") else ""  # with all names below it
        return dot + ascii_host(host.removeprefix("."))
    return host


def folder(name: str, default: Path) -> Path:
    return Path(text(name, str(default))).expanduser().resolve()
