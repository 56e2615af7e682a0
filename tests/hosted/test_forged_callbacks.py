"""Callbacks that nobody sent whom we asked: none is accepted, and none breaks anything.

``FORGED_EXAMPLES=5000`` looks for longer: so many of each of the two kinds.
"""

import json
import os
import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.core import signing
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pytest_django import Settings

from swaps import links
from swaps.models import Stage, Submission, User
from tests.hosted.steps import send_swap, using_provider

pytestmark = pytest.mark.django_db
many = examples(
    max_examples=int(os.environ.get("FORGED_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
REFUSALS = {400, 404, 405, 409, 410, 413}
seen: Counter[int] = Counter()


@pytest.fixture(scope="module", autouse=True)
def _say_what_was_seen() -> Any:
    yield
    print(f"\nforged callbacks: {seen.total()}, by status: {dict(seen)}")  # noqa: T201


def send(token: str, body: bytes, content_type: str = "application/json") -> int:
    client = Client(raise_request_exception=False)
    path = f"/callbacks/{quote(token, safe=':')}/"
    status: int = client.post(path, data=body, content_type=content_type).status_code
    seen[status] += 1
    return status


@st.composite
def edits(draw: st.DrawFn, text: str) -> str:
    """The text with one to three small changes."""
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(0, len(text) - 1)))
        new = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=3))
        text = text[:at] + new + text[at + draw(st.integers(0, 3)) :]
    return text


def forged_tokens(right: str, swap_id: uuid.UUID) -> st.SearchStrategy[str]:
    other = urlsplit(links.callback_url(uuid.uuid4())).path.split("/")[2]
    value, stamp, signature = right.split(":")
    parts = [value, stamp, signature, *other.split(":"), "", "A"]
    salts = st.sampled_from(["swaps.file", "swaps.inspector", "", "swaps.callbacks", "django.core"])
    return st.one_of(
        edits(right),
        st.lists(st.sampled_from(parts), min_size=1, max_size=4).map(":".join),
        salts.map(lambda salt: signing.dumps(swap_id.hex, salt=salt)),
        st.one_of(st.integers(), st.text(), st.none(), st.lists(st.text())).map(
            lambda thing: signing.dumps(thing, salt=links.CALLBACK_SALT)
        ),
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200),
    ).filter(lambda token: token.strip("/") not in {right, other, ""})


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@st.composite
def mutated_bodies(draw: st.DrawFn, outcome: dict[str, Any]) -> bytes:
    """Never an outcome of the right task: the right token is not enough."""
    right = outcome["task_id"]
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return draw(st.binary(max_size=300))
    if kind == 1:
        return json.dumps(draw(json_values)).encode()
    changed = dict(outcome)
    for name in draw(st.lists(st.sampled_from(sorted(outcome)), max_size=3)):
        changed[name] = draw(json_values)
    task_id = draw(st.one_of(st.uuids().map(str), edits(right), json_values))
    changed["task_id"] = task_id if task_id != right else None
    payload = json.dumps(changed).encode()
    if kind == 2:
        return payload
    cut = draw(st.integers(0, len(payload)))
    return payload[:cut] + draw(st.binary(max_size=3)) + payload[cut + draw(st.integers(0, 3)) :]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A swap that waits for its callback: the right token, and the right outcome."""

    swap_id: uuid.UUID
    token: str
    outcome: dict[str, Any]

    def still_waits(self) -> bool:
        return Submission.objects.get(pk=self.swap_id).stage == Stage.SENT


@pytest.fixture
def waiting(alice: User, settings: Settings) -> Waiting:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert provider.task.is_done.wait(60)
        token = urlsplit(provider.task.request["callback_url"]).path.split("/")[2]
        return Waiting(swap_id=swap.pk, token=token, outcome=provider.outcome(provider.task))


@many
@given(data=st.data())
def test_a_forged_token_opens_nothing(waiting: Waiting, data: st.DataObject) -> None:
    forged = data.draw(forged_tokens(waiting.token, waiting.swap_id))
    assert send(forged, json.dumps(waiting.outcome).encode()) in REFUSALS
    assert waiting.still_waits()


@many
@given(data=st.data())
def test_a_mutated_report_is_not_accepted(waiting: Waiting, data: st.DataObject) -> None:
    body = data.draw(mutated_bodies(waiting.outcome))
    content_type = data.draw(st.sampled_from(["application/json", "text/plain", "text/html", "x"]))
    assert send(waiting.token, body, content_type) in REFUSALS
    assert waiting.still_waits()


def test_the_right_report_with_the_right_token_is_accepted(waiting: Waiting) -> None:
    """Or the two above would prove nothing."""
    assert send(waiting.token, json.dumps(waiting.outcome).encode()) == 202
    assert not waiting.still_waits()
