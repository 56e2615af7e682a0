"""Moderation in the admin."""

import datetime
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps.accounts import api_keys
from swaps.lifecycle.remove import remove_swap
from swaps.models import (
    ApiAccess,
    ApiKey,
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    Door,
    Grant,
    Provider,
    Quota,
    Submission,
    Swap,
    User,
)
from swaps.models.quotas import quotas
from tests.swap_rows import finished_swap, queued_swap

pytestmark = pytest.mark.django_db
LIST = "/admin/swaps/swap/"
KEYS = "/admin/swaps/apikey/"
DELIVERIES = "/admin/swaps/delivery/"


def act(client: Client, url: str, action: str, *pks: object, confirmed: str = "yes") -> str:
    """What the page says then. Staff have been asked, if this is an action that asks."""
    data = {
        "action": action,
        "_selected_action": [str(pk) for pk in pks],
        "confirmed": confirmed,
    }
    return client.post(url, data, follow=True).content.decode()


def given_up_delivery(owner: User) -> Delivery:
    """A callback that nobody took."""
    swap = finished_swap(owner)
    swap.door, swap.callback_url = Door.API, "https://hooks.example.org/faces?secret=mine-alone"
    swap.save()
    delivery = Delivery.objects.create(
        swap=swap,
        owner=owner,
        url=swap.callback_url,
        status=DeliveryStatus.GIVEN_UP,
        failures=11,
        attempts_made=11,
        next_attempt_at=None,
        last_status=503,
    )
    DeliveryAttempt.objects.create(
        delivery=delivery,
        started_at=timezone.now() - datetime.timedelta(hours=1),
        seconds=0.25,
        status=503,
        error="The receiver answered with 503.",
        response_excerpt="<b>busy</b>",
    )
    return delivery


def test_the_list_shows_thumbnails_filters_and_search(as_staff: Client, alice: User) -> None:
    swap = finished_swap(alice)
    page = as_staff.get(LIST).content.decode()
    for kind in ("source", "target", "result"):
        url = reverse("admin:swaps_swap_thumb", args=[swap.pk, kind])
        assert url in page
        assert as_staff.get(url).getvalue()
    assert "alice@example.com" in as_staff.get(LIST, {"q": "alice"}).content.decode()
    assert str(swap.pk) in as_staff.get(LIST, {"q": str(swap.pk)}).content.decode()
    assert str(swap.pk) not in as_staff.get(LIST, {"q": "nobody"}).content.decode()
    assert str(swap.pk) not in as_staff.get(LIST, {"status": "failed"}).content.decode()


@pytest.mark.parametrize("query", ["x", "%00", "'", "4b13bdeb", "🙂", "fs_", "msg_"])
def test_any_search_is_answered(as_staff: Client, query: str) -> None:
    for url in (LIST, KEYS, DELIVERIES):
        assert as_staff.get(url, {"q": query}).status_code == 200


def test_the_list_asks_as_much_for_many_rows_as_for_one(
    as_staff: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        finished_swap(alice)
    with django_assert_max_num_queries(8):
        assert as_staff.get(LIST).status_code == 200


def test_facts_are_read_only(as_staff: Client, alice: User) -> None:
    swap = finished_swap(alice)
    url = reverse("admin:swaps_swap_change", args=[swap.pk])
    page = as_staff.get(url).content.decode()
    assert "alice@example.com" in page
    assert 'name="status"' not in page
    assert as_staff.post(url, {"status": "failed"}).status_code == 403
    assert as_staff.get("/admin/swaps/swap/add/").status_code == 403


def test_staff_hide_a_swap_from_everyone_and_show_it_again(
    as_staff: Client, as_alice: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    url = reverse("swaps:detail", args=[swap.pk])
    act(as_staff, LIST, "hide", swap.pk)
    assert as_alice.get(url).status_code == 404
    act(as_staff, LIST, "show", swap.pk)
    assert as_alice.get(url).status_code == 200


def test_what_staff_did_stands_in_the_history_in_words_and_in_the_row_as_a_code(
    as_staff: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    act(as_staff, LIST, "hide", swap.pk)
    entry = LogEntry.objects.get(object_id=str(swap.pk))
    assert json.loads(entry.change_message) == {"code": "note.hidden"}
    LogEntry.objects.create(
        user_id=entry.user_id,
        content_type_id=entry.content_type_id,
        object_id=entry.object_id,
        action_flag=entry.action_flag,
        change_message="Shown again by an earlier version.",
    )
    history = as_staff.get(f"{LIST}{swap.pk}/history/").content.decode()
    assert "Hidden." in history
    assert "Shown again by an earlier version." in history
    assert "note.hidden" not in history


def test_staff_remove_a_swap_with_its_pictures(as_staff: Client, alice: User) -> None:
    swap = finished_swap(alice)
    act(as_staff, LIST, "remove", swap.pk)
    swap.refresh_from_db()
    assert swap.status == "removed"
    thumb = reverse("admin:swaps_swap_thumb", args=[swap.pk, "result"])
    assert as_staff.get(thumb).status_code == 404
    assert as_staff.get(LIST).status_code == 200


def test_what_was_removed_stands_in_the_history_although_the_next_removal_broke(
    as_staff: Client, alice: User
) -> None:
    broken, removed = finished_swap(alice), finished_swap(alice)
    in_the_way = Path(default_storage.path(broken.result_key))
    in_the_way.unlink()
    (in_the_way / "no file").mkdir(parents=True)
    as_staff.raise_request_exception = False
    act(as_staff, LIST, "remove", broken.pk, removed.pk)
    removed.refresh_from_db()
    assert removed.status == "removed"
    assert LogEntry.objects.filter(object_id=str(removed.pk)).exists()


def test_staff_sign_in_on_the_sites_own_page_with_its_limits(client: Client) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")


def test_pictures_in_the_admin_are_for_staff(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    answer = as_alice.get(reverse("admin:swaps_swap_thumb", args=[swap.pk, "result"]))
    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


def test_staff_without_the_permission_see_no_picture(alice: User, charlie: User) -> None:
    User.objects.filter(pk=charlie.pk).update(is_staff=True)
    client = Client()
    client.force_login(charlie)
    swap = finished_swap(alice)
    assert (
        client.get(reverse("admin:swaps_swap_thumb", args=[swap.pk, "source"])).status_code == 403
    )


def test_staff_block_a_user_who_is_signed_out_at_once(
    as_staff: Client, as_alice: Client, alice: User, staff: User
) -> None:
    act(as_staff, "/admin/swaps/user/", "block", alice.pk, staff.pk)
    assert as_alice.get("/swaps/").status_code == 302
    assert as_staff.get("/admin/").status_code == 200  # nobody blocks themselves
    act(as_staff, "/admin/swaps/user/", "unblock", alice.pk)
    alice.refresh_from_db()
    assert alice.is_active


def test_staff_create_a_user(as_staff: Client) -> None:
    answer = as_staff.post(
        "/admin/swaps/user/add/",
        {
            "email": "new@example.com",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
        },
    )
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.filter(email="new@example.com").exists()


# --- grants -------------------------------------------------------------------------------


def grant_form(user: User, *, given: int = 0, **grant: Any) -> dict[str, Any]:
    """The page of a user, with one grant filled in."""
    return {
        "email": user.email,
        "is_active": "on",
        "grants-TOTAL_FORMS": str(given + 1),
        "grants-INITIAL_FORMS": str(given),
        f"grants-{given}-user": str(user.pk),
        f"grants-{given}-door": "api",
        **{f"grants-{given}-{name}": value for name, value in grant.items()},
    }


@pytest.mark.parametrize("door", list(Door))
def test_a_grant_adds_to_what_is_left_now(
    as_staff: Client, alice: User, staff: User, door: Door
) -> None:
    before = quotas(door).get_or_grant(alice).remaining
    url = reverse("admin:swaps_user_change", args=[alice.pk])
    assert as_staff.get(url).status_code == 200
    assert quotas(door).spend(alice)  # while staff look at the page
    assert as_staff.post(url, grant_form(alice)).status_code == 302  # saved without a grant
    assert quotas(door).get_or_grant(alice).remaining == before - 1

    form = grant_form(alice, door=door.value, amount=50, reason="She asked kindly.")
    assert as_staff.post(url, form).status_code == 302

    assert quotas(door).get_or_grant(alice).remaining == before + 49
    grant = Grant.objects.get()
    assert (grant.user, grant.granted_by, grant.door) == (alice, staff, door)
    history = as_staff.get(reverse("admin:swaps_user_history", args=[alice.pk])).content.decode()
    assert "50 swaps by" in history
    assert "She asked kindly." in history


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount": 5},
        {"amount": 0, "reason": "None."},
        {"amount": 1_000_001, "reason": "Too many."},
        {"amount": -3, "reason": "Taken away."},
        {"amount": 5, "reason": "Elsewhere.", "door": "window"},
    ],
)
def test_a_grant_needs_a_reason_and_an_amount(
    as_staff: Client, alice: User, wrong: dict[str, Any]
) -> None:
    before = ApiAccess.objects.get_or_grant(alice).remaining
    url = reverse("admin:swaps_user_change", args=[alice.pk])
    assert as_staff.post(url, grant_form(alice, **wrong)).status_code == 200
    assert ApiAccess.objects.get_or_grant(alice).remaining == before
    assert not Grant.objects.exists()


def test_given_grants_are_shown_and_stay_as_they_are(as_staff: Client, alice: User) -> None:
    given = Grant.objects.give(alice, Door.API, 7, reason="For the workshop.")
    url = reverse("admin:swaps_user_change", args=[alice.pk])
    page = as_staff.get(url).content.decode()
    assert "For the workshop." in page
    form = grant_form(alice, given=1) | {"grants-0-id": given.pk, "grants-0-amount": "9000"}
    as_staff.post(url, form)
    given.refresh_from_db()
    assert given.amount == 7
    assert Grant.objects.count() == 1


def test_the_page_of_a_user_shows_both_quotas_and_no_secret(as_staff: Client, alice: User) -> None:
    url = reverse("admin:swaps_user_change", args=[alice.pk])
    assert "no access yet" in as_staff.get(url).content.decode()
    key, token = acquire(alice)
    Quota.objects.spend(alice)
    page = as_staff.get(url).content.decode()
    assert f"{settings.FACESWAP_API_FREE_SWAPS} left, 0 spent" in page
    assert f"{settings.FACESWAP_FREE_SWAPS - 1} left, 1 spent" in page
    for secret in (ApiAccess.objects.get_or_grant(alice).callback_secret, key.digest, token):
        assert secret not in page


# --- keys and deliveries ------------------------------------------------------------------


def acquire(user: User) -> tuple[ApiKey, str]:
    issued = api_keys.acquire(user)
    assert issued
    return issued


def test_keys_are_found_by_their_beginning_and_show_no_digest(
    as_staff: Client, alice: User
) -> None:
    key, token = acquire(alice)
    change = reverse("admin:swaps_apikey_change", args=[key.pk])
    for query in (key.prefix, token, "alice@"):
        assert change in as_staff.get(KEYS, {"q": query}).content.decode()
    assert change not in as_staff.get(KEYS, {"q": "fs_zzz"}).content.decode()
    page = as_staff.get(change).content.decode()
    assert key.prefix in page
    assert key.digest not in page
    assert as_staff.post(change, {"name": "mine"}).status_code == 403


def test_staff_disable_enable_and_revoke_a_key_and_the_log_says_so(
    as_staff: Client, alice: User
) -> None:
    key, _ = acquire(alice)
    states = []
    for action in ("disable", "enable", "revoke"):
        act(as_staff, KEYS, action, key.pk)
        key.refresh_from_db()
        states.append((key.is_disabled, key.revoked_at is not None))
    assert states == [(True, False), (False, False), (False, True)]
    log = as_staff.get(reverse("admin:swaps_apikey_history", args=[key.pk])).content.decode()
    assert [word for word in ("Disabled.", "Enabled.", "Revoked.") if word not in log] == []


def test_a_delivery_is_shown_with_its_attempts_and_replayed(as_staff: Client, alice: User) -> None:
    delivery = given_up_delivery(alice)
    change = reverse("admin:swaps_delivery_change", args=[delivery.pk])
    for query in ("", delivery.message_id, str(delivery.swap_id), "alice@"):
        page = as_staff.get(DELIVERIES, {"q": query}).content.decode()
        assert "hooks.example.org" in page
        assert change in page
    assert change not in as_staff.get(DELIVERIES, {"q": "msg_zzz"}).content.decode()
    page = as_staff.get(change).content.decode()
    assert "&lt;b&gt;busy&lt;/b&gt;" in page
    assert "hooks.example.org/faces" in page
    assert "mine-alone" not in page  # what the receiver put into its query is its own affair

    act(as_staff, DELIVERIES, "replay", delivery.pk)

    delivery.refresh_from_db()
    assert (delivery.status, delivery.failures) == ("pending", 0)
    log = as_staff.get(reverse("admin:swaps_delivery_history", args=[delivery.pk]))
    assert "Replayed." in log.content.decode()


def test_only_the_newest_attempts_are_shown(as_staff: Client, alice: User) -> None:
    delivery = given_up_delivery(alice)
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            delivery=delivery,
            started_at=timezone.now() - datetime.timedelta(days=1),
            seconds=1,
            error=f"old attempt {number}",
        )
        for number in range(120)
    )
    change = reverse("admin:swaps_delivery_change", args=[delivery.pk])
    page = as_staff.get(change).content.decode()
    assert page.count('class="field-reason"') == 100
    assert "The receiver answered with 503." in page


def test_lists_of_keys_and_deliveries_ask_as_much_for_many_rows_as_for_one(
    as_staff: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(12):
        given_up_delivery(alice)
        ApiKey.objects.issue(alice, name="One of many")
    for url in (KEYS, DELIVERIES):
        with django_assert_max_num_queries(8):
            assert as_staff.get(url).status_code == 200


def test_swaps_of_the_api_are_told_apart(as_staff: Client, alice: User) -> None:
    delivery = given_up_delivery(alice)
    finished_swap(alice)
    key, _ = acquire(alice)
    Swap.objects.filter(pk=delivery.task_id).update(api_key=key)
    page = as_staff.get(LIST, {"door__exact": "api"}).content.decode()
    assert page.count('class="field-door"') == 1
    page = as_staff.get(
        reverse("admin:swaps_swap_change", args=[delivery.swap_id])
    ).content.decode()
    assert key.prefix in page


# --- accounts -----------------------------------------------------------------------------


def test_staff_delete_an_account_with_its_swaps(as_staff: Client, alice: User) -> None:
    finished_swap(alice)
    given_up_delivery(alice)
    acquire(alice)
    Grant.objects.give(alice, Door.API, 5, reason="She asked.")
    url = reverse("admin:swaps_user_delete", args=[alice.pk])
    assert as_staff.post(url, {"post": "yes"}).status_code == 302
    for model in (Swap, ApiKey, Delivery, Grant):
        assert not model._default_manager.exists()


def test_every_admin_page_opens(as_staff: Client, alice: User) -> None:
    swap: Swap = finished_swap(alice)
    delivery = given_up_delivery(alice)
    key, _ = acquire(alice)
    for url in (
        "/admin/",
        "/admin/swaps/user/",
        reverse("admin:swaps_user_change", args=[alice.pk]),
        reverse("admin:swaps_swap_history", args=[swap.pk]),
        KEYS,
        reverse("admin:swaps_apikey_change", args=[key.pk]),
        DELIVERIES,
        reverse("admin:swaps_delivery_change", args=[delivery.pk]),
        "/admin/swaps/user/add/",
        "/admin/password_change/",
    ):
        assert as_staff.get(url).status_code == 200, url


# --- what asks first ----------------------------------------------------------------------


def test_removing_swaps_asks_first_and_says_what_goes(
    as_staff: Client, alice: User, charlie: User
) -> None:
    done, waiting, sent = finished_swap(alice), queued_swap(alice), queued_swap(charlie)
    Swap.objects.filter(pk=sent.pk).update(provider=Provider.HOSTED, status="processing")
    Submission.objects.create(swap=sent, sends=1)
    removed = finished_swap(alice)
    remove_swap(removed)
    chosen = [swap.pk for swap in (done, waiting, sent, removed)]

    page = act(as_staff, LIST, "remove", *chosen, confirmed="")

    assert not Swap.objects.filter(pk__in=chosen[:3], status="removed").exists()
    for text in (
        "Remove 3 swaps, with all pictures?",
        "3 swaps of 2 accounts will be removed.",
        "7 pictures will be deleted, with their small copies.",
        "1 submission at the hosted provider will be given up, and counted.",
        "1 unfinished swap will be stopped, and not counted.",
        "This cannot be undone.",
        f'title="{done.pk}"',
        f"{done.owner}, ",
        reverse("admin:swaps_swap_thumb", args=[done.pk, "source"]),
        "Yes, remove for good",
    ):
        assert text in page
    assert "<script>" not in page

    sent_along = dict(re.findall(r'name="(action|confirmed)" value="(\w+)"', page))
    pks = re.findall(r'name="_selected_action" value="([^"]+)"', page)
    as_staff.post(LIST, {**sent_along, "_selected_action": pks})
    assert Swap.objects.filter(status="removed").count() == 4


def test_the_question_names_only_what_there_is(as_staff: Client, alice: User) -> None:
    done = Swap.objects.create(owner=alice, status="failed")
    page = act(as_staff, LIST, "remove", done.pk, confirmed="")
    assert "1 swap of 1 account will be removed." in page
    assert "submission" not in page
    assert "unfinished" not in page


def test_of_many_swaps_twenty_are_named_and_more_than_a_hundred_are_too_many(
    as_staff: Client, alice: User
) -> None:
    Swap.objects.bulk_create(Swap(owner=alice, status="failed") for _ in range(101))
    pks = list(Swap.objects.values_list("pk", flat=True))

    page = act(as_staff, LIST, "remove", *pks[:100], confirmed="")
    assert sum(f'title="{pk}"' in page for pk in pks) == 20
    assert "and 80 more" in page
    assert page.count('name="_selected_action"') == 100

    assert "At most 100 at once." in act(as_staff, LIST, "remove", *pks)


@pytest.mark.parametrize("action", ["hide", "show"])
def test_no_action_takes_more_than_a_hundred_at_once(
    as_staff: Client, alice: User, action: str
) -> None:
    Swap.objects.bulk_create(
        Swap(owner=alice, status="failed", is_hidden=action == "show") for _ in range(101)
    )
    everything = {"action": action, "select_across": "1"}
    everything["_selected_action"] = str(Swap.objects.values_list("pk", flat=True)[0])

    page = as_staff.post(LIST, everything, follow=True).content.decode()

    assert "At most 100 at once." in page
    assert Swap.objects.filter(is_hidden=action == "show").count() == 101


def test_at_most_a_hundred_callbacks_are_replayed_at_once(as_staff: Client, alice: User) -> None:
    delivery = given_up_delivery(alice)
    url, status = delivery.url, delivery.status
    swaps = Swap.objects.bulk_create(Swap(owner=alice, status="failed") for _ in range(100))
    Delivery.objects.bulk_create(
        Delivery(swap=swap, owner=alice, url=url, status=status, next_attempt_at=None)
        for swap in swaps
    )
    pks = Delivery.objects.values_list("pk", flat=True)
    assert "At most 100 at once." in act(as_staff, DELIVERIES, "replay", *pks)
    assert not Delivery.objects.exclude(status=status).exists()
    assert not Swap.objects.filter(status="removed").exists()


@pytest.mark.parametrize(
    ("action", "text"),
    [("disable", "They can be enabled again."), ("revoke", "This cannot be undone: their owners")],
)
def test_ending_keys_asks_first(as_staff: Client, alice: User, action: str, text: str) -> None:
    key, _ = acquire(alice)
    page = act(as_staff, KEYS, action, key.pk, confirmed="")
    assert text in page
    assert "Calls with 1 key of 1 account will be refused, from now on." in page
    key.refresh_from_db()
    assert (key.is_disabled, key.revoked_at) == (False, None)


def test_blocking_asks_first(as_staff: Client, alice: User) -> None:
    acquire(alice)
    page = act(as_staff, "/admin/swaps/user/", "block", alice.pk, confirmed="")
    assert "1 account will be signed out at once, and cannot sign in." in page
    assert "Calls with 1 API key will be refused." in page
    alice.refresh_from_db()
    assert alice.is_active


def test_deleting_accounts_asks_first_and_counts_what_goes(
    as_staff: Client, alice: User, charlie: User
) -> None:
    for _ in range(3):
        finished_swap(alice)
    given_up_delivery(alice)
    acquire(alice)
    alone = as_staff.get(reverse("admin:swaps_user_delete", args=[alice.pk])).content.decode()
    both = act(as_staff, "/admin/swaps/user/", "delete_selected", alice.pk, charlie.pk)
    for page, accounts in ((alone, 1), (both, 2)):
        assert "This cannot be undone." in page
        counts = dict(re.findall(r"<li>([\w, ]+): (\d+)</li>", page))
        assert counts == {
            "Accounts": str(accounts),
            "Swaps": "4",
            "Pictures, with their small copies": "12",
            "API keys": "1",
            "Callbacks": "1",
            "Submissions": "0",
        }
        assert "alice@example.com" in page
    assert User.objects.filter(pk__in=[alice.pk, charlie.pk]).count() == 2
