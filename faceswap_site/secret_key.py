"""The signing key of an installation that was given none: made once, kept with the state."""

import os
import secrets
from pathlib import Path


def read_or_create(path: Path) -> str:
    """The key in ``path``; a new random one is written there (mode 600) on the first start.

    Several processes may start at once: the file is linked into place, so that exactly one
    writer wins and all of them read the winner's key.
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
