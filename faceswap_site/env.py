"""Reads typed settings from environment variables.

A value that cannot be parsed stops the program with the variable's name and what was expected. A
secret may be given as a file: ``NAME_FILE`` names it (as Docker and systemd do). A setting that was
renamed is read by its old name as well, where the new one is empty or unset.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from swaps.net.names import ascii_host, ascii_url

# Old names of settings, by their present names.
OLD_NAMES = {
    "FACESWAP_HOSTED_KEY": "FACESWAP_API_KEY",
    "FACESWAP_HOSTED_URL": "FACESWAP_API_URL",
}


@dataclass(frozen=True, kw_only=True)
class OldName:
    """A setting that is still given by its old name."""

    old: str
    new: str
    is_overruled: bool  # the new name is given as well, with another value


def load_dotenv(path: Path) -> None:
    """Read ``NAME=value`` lines from a file; variables that are set already win."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            os.environ.setdefault(name.strip(), value.strip().strip("\"'"))


def text(name: str, default: str = "") -> str:
    """Return a variable, stripped; the default when it is empty or unset."""
    return _value(_name_in_use(name)) or default


def secret(name: str, default: str = "") -> str:
    """Return the value of NAME, or the contents of the file that NAME_FILE names."""
    name = _name_in_use(name)
    path = _value(f"{name}_FILE")
    if not path:
        return _value(name) or default
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error.strerror}") from error


def old_names() -> list[OldName]:
    """Return the old names in use, without those whose value equals the new name's."""
    return [
        OldName(old=old, new=new, is_overruled=_is_set(new))
        for new, old in OLD_NAMES.items()
        if _is_set(old) and (not _is_set(new) or secret(old) != secret(new))
    ]


def _name_in_use(name: str) -> str:
    """Return the old name of a setting where only that is set, otherwise the name itself."""
    old = OLD_NAMES.get(name)
    return old if old and _is_set(old) and not _is_set(name) else name


def _is_set(name: str) -> bool:
    return bool(_value(name) or _value(f"{name}_FILE"))


def _value(name: str) -> str:
    return os.environ.get(name, "").strip()


def flag(name: str, *, default: bool = False) -> bool:
    """Return a boolean: 1, true, yes, on or 0, false, no, off."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: expected one of 1, 0, true, false, yes, no")


def integer(name: str, default: int, *, minimum: int = 0) -> int:
    """Return a whole number of at least ``minimum``."""
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


def strings(name: str) -> list[str]:
    """Return a comma-separated list; empty when unset."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def url(name: str, default: str = "") -> str:
    """Return a URL without a trailing slash, its host in ASCII.

    A host without an ASCII form stays as it is; the check swaps.E025 reports it.
    """
    value = text(name, default).rstrip("/")
    with contextlib.suppress(ValueError):
        return ascii_url(value)
    return value


def hosts(name: str) -> list[str]:
    """Return a list of host names in ASCII.

    The check swaps.E025 reports those without such a form.
    """
    return [_in_ascii(word) for word in strings(name)]


def _in_ascii(host: str) -> str:
    with contextlib.suppress(ValueError):
        dot = "." if host.startswith(".") else ""  # subdomains included
        return dot + ascii_host(host.removeprefix("."))
    return host


def folder(name: str, default: Path) -> Path:
    """Return an absolute path."""
    return Path(text(name, str(default))).expanduser().resolve()
