"""One-time form tokens: a form that is sent twice, by a double click, takes effect once."""

import hashlib
import secrets
from collections.abc import Iterable

from django.http import HttpRequest

FIELD = "form_token"


def new_token() -> str:
    return secrets.token_urlsafe(16)


def current_token(request: HttpRequest) -> str:
    """Return the token to render into the form: the one that was posted, or a new one."""
    return request.POST.get(FIELD) or new_token()


def form_key(request: HttpRequest, fields: Iterable[str]) -> str:
    """Return a digest of the form's token and contents, files included; empty without a token.

    Whoever goes back and changes the form gets another digest: it is a new request.
    """
    token = request.POST.get(FIELD)
    if not token:
        return ""
    digest = hashlib.sha256(token.encode())
    for name in fields:
        digest.update(hash_values(*request.POST.getlist(name)))
        for upload in request.FILES.getlist(name):
            for chunk in upload.chunks():
                digest.update(chunk)
            upload.seek(0)
    return digest.hexdigest()


def hash_values(*values: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, values)).encode()).digest()
