"""Creates the SECRET_KEY of an installation that was given none, and keeps it in a file."""

import os
import secrets
from pathlib import Path


def read_or_create(path: Path) -> str:
    """Return the key in ``path``; on the first start, write a random one there (mode 600).

    Several processes may start at once: the file is linked into place, so that exactly one writer
    wins and all of them read the winner's key.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        try:
            draft.write_text(secrets.token_urlsafe(50), encoding="utf-8")
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()
