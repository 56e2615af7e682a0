"""Hooks that tell Schemathesis which URLs lead to pictures, and the contract's own statuses."""

import os
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.specs.openapi import checks

SITE = os.environ["SCHEMATHESIS_SITE"]
PICTURES = [f"{SITE}/samples/{n}-{kind}.jpg" for n in (1, 2, 3) for kind in ("face", "photo")]
schemathesis.openapi.format("uri", st.sampled_from(PICTURES))


def is_no_token(response: Any) -> bool:
    """Return True for the contract's 400 to a call without a key, where HTTP has 401."""
    return response.status_code == 400 and b'"no_token"' in response.content


def is_no_such_face(response: Any) -> bool:
    """Return True where a point lies on no face, or two on one: no schema can say that."""
    is_refused = b'"no_face"' in response.content or b"the same face" in response.content
    return response.status_code == 400 and is_refused


@schemathesis.hook
def after_call(_context: Any, _case: Any, response: Any) -> None:
    if is_no_token(response):
        response.status_code = 401
    if is_no_such_face(response):
        response.status_code = 404


_enforces_auth = checks._enforces_auth


def enforces_auth(response: Any, authenticated: Any) -> bool:
    return is_no_token(response) or _enforces_auth(response, authenticated)


checks._enforces_auth = enforces_auth
