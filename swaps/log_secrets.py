"""Keeps out of logs what a URL lets its bearer do. Standard library only."""

import logging
import re
from urllib.parse import quote

# Behind these the rest of a path is a secret that may do one thing.
SECRET_PATHS = re.compile(
    r"(/files/|/callbacks/|/accounts/confirm-email/|/accounts/password/reset/key/)[^\s\"'<>]+"
)


def hide_secrets(text: str) -> str:
    return SECRET_PATHS.sub(r"\1***", text)


def shown_path(path: str) -> str:
    """A WSGI path as it may stand in a log: no secrets, no control characters."""
    return hide_secrets(quote(path.encode("latin-1", "replace"), safe="/:@"))


class HideSecrets(logging.Filter):
    """For a handler: lets every record through, without its secrets."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        if hidden := SECRET_PATHS.search(said) and hide_secrets(said):
            record.msg, record.args = hidden, ()
        if record.exc_info:  # formatters take the text that is there already
            record.exc_text = hide_secrets(logging.Formatter().formatException(record.exc_info))
        return True
