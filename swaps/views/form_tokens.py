"""A token in each form that makes something: sent twice, by a double click, it makes it once."""

import hashlib
import secrets
from collections.abc import Iterable

from django.http import HttpRequest

FIELD = "form_token"


def new() -> str:
    return secrets.token_urlsafe(16)


def shown(request: HttpRequest) -> str:
    """For the form on the page: the one that came with it, or a new one."""
    return request.POST.get(FIELD) or new()


def submission_key(request: HttpRequest, fields: Iterable[str]) -> str:
    """Names this form with these contents, files included; empty for a form without a token.

    Whoever goes back and changes the form means something new by it.
    """
    token = request.POST.get(FIELD)
    if not token:
        return ""
    digest = hashlib.sha256(token.encode())
    for name in fields:
        digest.update(digest_of(request.POST.get(name, "")))
        upload = request.FILES.get(name)
        if upload is not None:
            for chunk in upload.chunks():
                digest.update(chunk)
            upload.seek(0)
    return digest.hexdigest()


def digest_of(*values: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, values)).encode()).digest()
