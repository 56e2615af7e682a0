"""Keeps secrets out of logs and out of what staff read: signed URLs, keys, passwords in URLs.

Standard library only.
"""

import logging
import re
from collections.abc import Iterator
from urllib.parse import quote

# Behind these the rest of a path is a secret that may do one thing.
SECRET_PREFIXES = (
    "files",
    "callbacks",
    "accounts/confirm-email",
    "accounts/password/reset/key",
)


def _spelled(character: str) -> str:
    """A pattern for a character as it is, or percent-encoded once or more."""
    return rf"(?:{re.escape(character)}|%(?:25)*{ord(character):02x})"


# What may stand beside the parts of a path without being one of them: blanks, dots, semicolons and
# all else that is neither letter nor digit. The quantifiers are possessive ("*+"), so that no path
# takes long to read.
_NO_LETTER = r"[01][0-9a-f]|2[0-46-9a-e]|3[a-f]|40|5[bdef]|60|7[b-f]|[89a-f][0-9a-f]"
_STRAY = rf"(?:[^a-z0-9/\\%]|%(?:25)*(?:{_NO_LETTER}|(?![0-9a-f]{{2}})))*+"
_SLASH = r"(?:[/\\]|%(?:25)*(?:2f|5c))"
_ESCAPE = r"(?:\\|%(?:25)*5c)(?:[nrt]|x[01][0-9a-f])"  # as Django's log writes control characters
_BETWEEN = rf"{_STRAY}(?:(?:{_ESCAPE}|{_SLASH}){_STRAY})+"
_PREFIXES = "|".join(
    _BETWEEN.join("".join(map(_spelled, part)) for part in prefix.split("/"))
    for prefix in SECRET_PREFIXES
)
# Python's own django/core/files/… stands in traces, and is no secret.
SECRET_PATHS = re.compile(
    rf"((?<!django/core){_SLASH}{_STRAY}(?:{_PREFIXES}){_STRAY}{_SLASH})\s*[^\r\n]*",
    re.IGNORECASE,
)


INVALID_REQUEST = re.compile(r"Invalid request from ip=\S+ [^:'\"]*")


def hide_secrets(text: str) -> str:
    """The text without what stands behind a secret prefix, up to the end of the line."""
    return SECRET_PATHS.sub(r"\1***", text)


def is_secret_path(path: str) -> bool:
    return SECRET_PATHS.search(path) is not None


def shown_path(path: str) -> str:
    """A WSGI path as it may stand in a log: no secrets, no control characters."""
    return hide_secrets(quote(path.encode("latin-1", "replace"), safe="/:@"))


class HideInvalidRequests(logging.Filter):
    """For gunicorn: of a request that is none only the kind of fault is logged.

    The fault is shown there with the part of the request that holds it, and with a blank in its
    path the secret is the "HTTP version".
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if found := INVALID_REQUEST.match(record.getMessage()):
            record.msg, record.args = "%s", (found[0],)
        return True


class HideSecrets(logging.Filter):
    """For a handler: lets every record through, without its secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if hidden := SECRET_PATHS.search(message) and hide_secrets(message):
            record.msg, record.args = hidden, ()
        if record.exc_info:  # formatters take the text that is there already
            record.exc_text = hide_secrets(logging.Formatter().formatException(record.exc_info))
        return True


MAX_SCRUBBED_CHARACTERS = 4_000
_PIECE = re.compile(r"[^\s\"'<>]+")
_USER = re.compile(r"(:(?:\\?/){2})[^/\\]*@")  # JSON may write a slash as \/
_TOKEN = re.compile(r"[\w:.=%~+-]{61,}", re.ASCII)  # signed links, keys; no id is so long


def scrub(text: str, *secrets: str) -> str:
    """For staff and logs: without the secrets, and without what URLs let their bearer do."""
    text = "".join(visible(text))
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    text = _PIECE.sub(_bare, text[: 4 * MAX_SCRUBBED_CHARACTERS])  # never cut within a secret
    return _TOKEN.sub("…", text)[:MAX_SCRUBBED_CHARACTERS].strip()


def visible(text: str) -> Iterator[str]:
    """Line breaks and other strange spaces become spaces; what cannot be seen goes."""
    for character in text:
        if character.isprintable():
            yield character
        elif character.isspace():
            yield " "


def _bare(piece: re.Match[str]) -> str:
    """If it looks like a URL or a part of one: without user name, password and query."""
    before, _, query = piece[0].partition("?")
    if "/" not in before:
        return piece[0]
    return _USER.sub(r"\1", before.partition("#")[0]) + ("?…" if query else "")
