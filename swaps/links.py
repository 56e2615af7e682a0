"""URLs that may do one thing, signed for that thing."""

from django.core import signing

from swaps.storage import FILE_SALT


def key_of_file(token: str) -> str | None:
    """The object key that a signed file URL stands for; None when forged or expired."""
    try:
        key, seconds = signing.loads(token, salt=FILE_SALT)
        signing.loads(token, salt=FILE_SALT, max_age=seconds)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return str(key)
