"""A form that is sent twice at once makes one: swaps, keys, grants."""

import datetime
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from swaps.clock import retention
from swaps.clock.retention import delete_expired_forms
from swaps.models import (
    ApiAccess,
    ApiKey,
    FormCount,
    FormSubmission,
    Grant,
    Quota,
    Swap,
    Upload,
    User,
)
from tests.cast import signed_in
from tests.pictures import file, picture, swap_form

pytestmark = pytest.mark.django_db(transaction=True)
NEW = "/swaps/new/"
KEYS = "/api/keys/"


def token_in(page: Any, name: str = "form_token") -> str:
    found = re.search(rf'name="{name}" value="([\w-]{{20,}})"', page.content.decode())
    assert found
    return found[1]


def twice_at_once(send: Callable[[Client], Any], user: User) -> list[Any]:
    """By two threads, each with a connection of its own."""

    def sent(client: Client) -> Any:
        try:
            return send(client)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(sent, [signed_in(user), signed_in(user)]))


def form(token: str, **more: Any) -> dict[str, Any]:
    return {**swap_form(), "form_token": token, **more}


# --- Swaps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [10, 1])
def test_a_form_that_is_sent_twice_at_once_makes_one_swap_charged_once(
    as_alice: Client, alice: User, left: int
) -> None:
    Quota.objects.get_or_grant(alice)
    Quota.objects.filter(user=alice).update(remaining=left)
    token = token_in(as_alice.get(NEW))
    answers = twice_at_once(lambda client: client.post(NEW, form(token)), alice)
    swap = Swap.objects.get()
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {
        (302, reverse("swaps:detail", args=[swap.pk]))
    }
    assert Quota.objects.get_or_grant(alice).spent == 1
    assert FormSubmission.objects.get().made == str(swap.pk)


def test_sent_once_more_it_says_so(as_alice: Client) -> None:
    token = token_in(as_alice.get(NEW))
    for _ in range(2):
        answer = as_alice.post(NEW, form(token), follow=True)
    assert "requested already, and only once" in answer.content.decode()
    assert Swap.objects.count() == 1


def test_kept_photos_that_the_first_one_used_up_are_not_missed_by_the_second(
    as_alice: Client, alice: User
) -> None:
    page = as_alice.post(NEW, form("", consent=""))
    uploads = re.findall(r'_photo" value="([\w-]+)"', page.content.decode())
    again = {
        "source_photo": uploads[0],
        "target_photo": uploads[1],
        "consent": "on",
        "form_token": token_in(page),
    }
    answers = twice_at_once(lambda client: client.post(NEW, again), alice)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Swap.objects.count() == 1
    assert not Upload.objects.exists()


def test_a_refused_form_may_be_sent_again_with_its_token(as_alice: Client) -> None:
    token = token_in(as_alice.get(NEW))
    refused = as_alice.post(NEW, form(token, consent=""))
    assert (refused.status_code, token_in(refused)) == (422, token)
    assert as_alice.post(NEW, form(token)).status_code == 302
    assert Swap.objects.count() == 1


def test_going_back_and_choosing_another_photo_is_another_swap(as_alice: Client) -> None:
    token = token_in(as_alice.get(NEW))
    as_alice.post(NEW, form(token))
    as_alice.post(NEW, form(token, target_image=file(picture("olive"))))
    assert Swap.objects.count() == 2


def test_a_token_is_worth_nothing_to_another_account(
    as_alice: Client, as_charlie: Client, charlie: User
) -> None:
    token = token_in(as_alice.get(NEW))
    as_alice.post(NEW, form(token))
    as_charlie.post(NEW, form(token))
    assert Swap.objects.filter(owner=charlie).count() == 1


def test_a_swap_that_is_deleted_twice_is_deleted(as_alice: Client, alice: User) -> None:
    as_alice.post(NEW, form(""))
    url = reverse("swaps:delete", args=[Swap.objects.get().pk])
    assert [as_alice.post(url).status_code for _ in range(2)] == [302, 302]
    assert Quota.objects.get_or_grant(alice).spent == 0


def test_the_clock_forgets_sent_forms_a_number_at_a_time(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_DELETED", 2)
    for number in range(3):
        FormSubmission.objects.claim(alice, str(number), number)
    FormCount.objects.create(user=alice, minute=timezone.now())
    delete_expired_forms(timezone.now() + datetime.timedelta(minutes=30))
    assert (FormSubmission.objects.count(), FormCount.objects.count()) == (3, 1)
    delete_expired_forms(timezone.now() + datetime.timedelta(hours=25))
    assert (FormSubmission.objects.count(), FormCount.objects.count()) == (1, 0)


# --- Keys and grants ------------------------------------------------------------------------------


def test_a_key_form_sent_twice_at_once_makes_one_key_and_the_last_page_shows_it(
    as_alice: Client, alice: User
) -> None:
    ApiAccess.objects.get_or_grant(alice)
    asked = {"name": "Robot", "scope": "all", "expiry": "never"}
    asked["form_token"] = token_in(as_alice.get(KEYS))
    answers = twice_at_once(lambda client: client.post(KEYS, asked), alice)
    assert [answer.status_code for answer in answers] == [200, 200]
    key = ApiKey.objects.get()
    shown = [re.search(r"fs_[\w-]{43}", answer.content.decode()) for answer in answers]
    found = [ApiKey.objects.find(token[0]) for token in shown if token]
    assert sorted(found, key=lambda each: each is None) == [key, None]
    other = as_alice.post(KEYS, {**asked, "name": "Another"})
    assert other.status_code == 200
    assert ApiKey.objects.count() == 2


def test_a_key_that_was_seen_is_not_replaced_by_its_form(as_alice: Client, alice: User) -> None:
    ApiAccess.objects.get_or_grant(alice)
    asked = {"name": "Robot", "scope": "all", "expiry": "never"}
    asked["form_token"] = token_in(as_alice.get(KEYS))
    as_alice.post(KEYS, asked)
    ApiKey.objects.update(last_used_at=timezone.now())
    answer = as_alice.post(KEYS, asked)
    assert answer.status_code == 422
    assert "This form has made its key" in answer.content.decode()
    assert ApiKey.objects.count() == 1


def test_acquire_twice_at_once_makes_one_key(alice: User) -> None:
    twice_at_once(lambda client: client.post(reverse("swaps:acquire")), alice)
    assert ApiKey.objects.count() == 1


def test_a_grant_form_sent_twice_at_once_grants_once(
    as_staff: Client, staff: User, alice: User
) -> None:
    url = reverse("admin:swaps_user_change", args=[alice.pk])
    page = as_staff.get(url)
    given = {
        name: value
        for name, value in re.findall(
            r'name="(grants-[\w-]+)"[^>]* value="([^"]*)"', page.content.decode()
        )
        if "__prefix__" not in name
    }
    given |= {"email": alice.email, "is_active": "on", "grants-0-door": "browser"}
    given |= {"grants-0-amount": "7", "grants-0-reason": "A gift"}
    answers = twice_at_once(lambda client: client.post(url, given), staff)
    assert [answer.status_code for answer in answers] == [302, 302]
    assert Grant.objects.count() == 1
    as_staff.post(url, {**given, "grants-0-reason": "Another"})
    assert Grant.objects.count() == 2
