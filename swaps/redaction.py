"""Removes secrets from logs and from what staff read: signed URLs, keys, passwords in URLs.

Standard library only.
"""

import logging
import re
from collections.abc import Iterator
from urllib.parse import quote

# After one of these prefixes the rest of a path is a signed or random token.
SECRET_PREFIXES = (
    "files",
    "callbacks",
    "s",
    "accounts/confirm-email",
    "accounts/password/reset/key",
)


def _character_pattern(character: str) -> str:
    """Return a pattern for a character as it is, or percent-encoded once or more."""
    return rf"(?:{re.escape(character)}|%(?:25)*{ord(character):02x})"


# Characters that may surround the parts of a path: blanks, dots, semicolons and everything else
# that is neither letter nor digit. The quantifiers are possessive ("*+"), so that no input causes
# catastrophic backtracking.
_NO_LETTER = r"[01][0-9a-f]|2[0-46-9a-e]|3[a-f]|40|5[bdef]|60|7[b-f]|[89a-f][0-9a-f]"
_STRAY = rf"(?:[^a-z0-9/\\%]|%(?:25)*(?:{_NO_LETTER}|(?![0-9a-f]{{2}})))*+"
_SLASH = r"(?:[/\\]|%(?:25)*(?:2f|5c))"
_ESCAPE = r"(?:\\|%(?:25)*5c)(?:[nrt]|x[01][0-9a-f])"  # as Django's log writes control characters
_BETWEEN = rf"{_STRAY}(?:(?:{_ESCAPE}|{_SLASH}){_STRAY})+"
_PREFIXES = "|".join(
    _BETWEEN.join("".join(map(_character_pattern, part)) for part in prefix.split("/"))
    for prefix in SECRET_PREFIXES
)
# The module path django/core/files/… appears in tracebacks, and is no secret.
SECRET_PATHS = re.compile(
    rf"((?<!django/core){_SLASH}{_STRAY}(?:{_PREFIXES}){_STRAY}{_SLASH})\s*[^\r\n]*",
    re.IGNORECASE,
)


INVALID_REQUEST = re.compile(r"Invalid request from ip=\S+ [^:'\"]*")


def hide_secrets(text: str) -> str:
    """Replace everything after a secret prefix with ``***``, up to the end of the line."""
    return SECRET_PATHS.sub(r"\1***", text)


def is_secret_path(path: str) -> bool:
    """Return whether a path holds a signed token."""
    return SECRET_PATHS.search(path) is not None


def loggable_path(path: str) -> str:
    """Return a WSGI path without secrets and control characters, for the log."""
    return hide_secrets(quote(path.encode("latin-1", "replace"), safe="/:@"))


class HideInvalidRequests(logging.Filter):
    """A filter for gunicorn's log that keeps only the kind of fault of an invalid request.

    gunicorn quotes the faulty part, and with a blank in the path that is the secret behind it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if found := INVALID_REQUEST.match(record.getMessage()):
            record.msg, record.args = "%s", (found[0],)
        return True


class HideSecrets(logging.Filter):
    """A filter for log handlers that removes secrets from messages and tracebacks."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if hidden := SECRET_PATHS.search(message) and hide_secrets(message):
            record.msg, record.args = hidden, ()
        if record.exc_info:  # formatters use exc_text if it is set
            record.exc_text = hide_secrets(logging.Formatter().formatException(record.exc_info))
        return True


MAX_SCRUBBED_CHARACTERS = 4_000
_PIECE = re.compile(r"[^\s\"'<>]+")
_USER = re.compile(r"(:(?:\\?/){2})[^/\\]*@")  # JSON may write a slash as \/
_TOKEN = re.compile(r"[\w:.=%~+-]{61,}", re.ASCII)  # signed links and keys; no id is as long


def scrub(text: str, *secrets: str) -> str:
    """Return text for staff and logs without these secrets, tokens, and credentials in URLs."""
    text = "".join(printable(text))
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    text = _PIECE.sub(
        _strip_url_secrets, text[: 4 * MAX_SCRUBBED_CHARACTERS]
    )  # cut later, so that no secret is cut in two
    return _TOKEN.sub("…", text)[:MAX_SCRUBBED_CHARACTERS].strip()


def printable(text: str) -> Iterator[str]:
    """Yield the characters, white space as blanks, without those that cannot be printed."""
    for character in text:
        if character.isprintable():
            yield character
        elif character.isspace():
            yield " "


def _strip_url_secrets(piece: re.Match[str]) -> str:
    """Remove user name, password and query from what looks like a URL or a part of one."""
    before, _, query = piece[0].partition("?")
    if "/" not in before:
        return piece[0]
    return _USER.sub(r"\1", before.partition("#")[0]) + ("?…" if query else "")
