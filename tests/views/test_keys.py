"""The pages of API keys: acquire, create, rotate, revoke, and the secret that signs callbacks."""

import datetime
import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from threading import Barrier

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps.accounts import api_keys
from swaps.models import ApiAccess, ApiKey, ApiKeyUse, Door, Grant, Scope, User
from swaps.models.counters import increment_counter
from swaps.views.keys import CHART_HEIGHT, draw_chart

pytestmark = pytest.mark.django_db
KEYS = "/api/keys/"
ACQUIRE = "/api/acquire/"
DOCS = "/docs/api/"
TOKEN = re.compile(r'<code id="token">(fs_[\w-]{43})</code>')
DAY = datetime.timedelta(days=1)
NEW = {"name": "Nightly", "scope": "all", "expiry": "never"}


def page(client: Client, url: str = KEYS) -> str:
    return unescape(client.get(url).content.decode())


def shown_token(html: str) -> str:
    found = TOKEN.search(html)
    assert found, "no key is shown"
    return found[1]


def key_of(token: str) -> ApiKey:
    key = ApiKey.objects.find(token)
    assert key, "the key that was shown does not work"
    return key


def first_key(user: User) -> ApiKey:
    issued = api_keys.acquire(user)
    assert issued
    return issued[0]


# --- acquire ------------------------------------------------------------------------------


def test_the_first_acquire_grants_the_free_quota_and_shows_the_first_key(
    as_alice: Client, alice: User
) -> None:
    answer = as_alice.post(ACQUIRE)
    html = unescape(answer.content.decode())
    token = shown_token(html)
    key = key_of(token)
    assert (key.user, key.name, key.scope) == (alice, "First key", "all")
    assert ApiAccess.objects.get(user=alice).remaining == settings.FACESWAP_API_FREE_SWAPS
    assert "no-store" in answer.headers["Cache-Control"]
    curl = html[html.index('<pre id="curl">') : html.index("</pre>")]
    assert f"authorization: Bearer {token}" in curl
    assert f"{settings.SITE_URL}/face/swap" in curl
    assert f"{settings.SITE_URL}/samples/1-face.jpg" in curl
    assert f'href="{DOCS}"' in html


def test_a_key_is_shown_once_and_kept_nowhere(as_alice: Client) -> None:
    token = shown_token(as_alice.post(ACQUIRE).content.decode())
    for url in (KEYS, "/swaps/", KEYS):
        assert token not in page(as_alice, url)
    for session in Session.objects.all():
        assert token not in str(session.get_decoded())
    assert not ApiKey.objects.filter(digest=token).exists()


def test_a_second_acquire_grants_nothing_more(as_alice: Client, alice: User) -> None:
    as_alice.post(ACQUIRE)
    answer = as_alice.post(ACQUIRE, follow=True)
    assert answer.redirect_chain == [(KEYS, 302)]
    assert "You have access already." in answer.content.decode()
    assert ApiAccess.objects.get(user=alice).remaining == settings.FACESWAP_API_FREE_SWAPS
    assert alice.api_keys.count() == 1


def test_acquiring_after_the_only_key_was_revoked_grants_nothing_more(
    as_alice: Client, alice: User
) -> None:
    first_key(alice).revoke(timezone.now())
    as_alice.post(ACQUIRE)
    assert alice.api_keys.count() == 1


def test_somebody_whom_staff_granted_swaps_still_gets_a_first_key(
    as_alice: Client, alice: User
) -> None:
    Grant.objects.give(alice, Door.API, 100, reason="For the workshop.")
    key_of(shown_token(as_alice.post(ACQUIRE).content.decode()))
    assert ApiAccess.objects.get().remaining == settings.FACESWAP_API_FREE_SWAPS + 100


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("has_access", [False, True])
def test_of_racing_acquires_one_grants(has_access: bool) -> None:
    dora = User.objects.create_user("dora@example.com")
    if has_access:  # by staff, without a key
        ApiAccess.objects.get_or_grant(dora)

    start = Barrier(8)

    def acquire(_: int) -> bool:
        connection.ensure_connection()
        start.wait()
        try:
            return api_keys.acquire(dora) is not None
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(acquire, range(8))) == 1
    assert dora.api_keys.count() == 1


def test_acquiring_needs_a_post(as_alice: Client) -> None:
    assert as_alice.get(ACQUIRE).status_code == 405
    assert not ApiAccess.objects.exists()


def test_somebody_signed_out_comes_back_to_the_documentation(client: Client, alice: User) -> None:
    answer = client.post(ACQUIRE)
    sign_in = answer.headers["Location"]
    assert sign_in == f"/accounts/login/?next={DOCS}"
    answer = client.post(sign_in, {"login": alice.email, "password": "correct horse battery"})
    assert answer.headers["Location"] == DOCS
    assert not ApiAccess.objects.exists()  # nothing is granted without a click


def test_signing_up_instead_leads_back_to_the_documentation_too(client: Client) -> None:
    sign_in = page(client, client.post(ACQUIRE).headers["Location"])
    links = re.findall(r'href="(/accounts/signup/\?next=[^"]+)"', sign_in)
    assert links
    sign_up = page(client, links[0])
    assert f'name="next" value="{DOCS}"' in sign_up
    new = {"email": "new@example.com", "password1": "correct horse battery", "next": DOCS}
    welcome = client.post("/accounts/signup/", new).headers["Location"]
    assert f'href="{DOCS}"' in page(client, welcome)


# --- the list -----------------------------------------------------------------------------


def test_without_access_the_page_invites(as_alice: Client) -> None:
    html = page(as_alice)
    assert f'action="{ACQUIRE}"' in html
    assert f"{settings.FACESWAP_API_FREE_SWAPS} swaps by API are free" in html
    assert not ApiAccess.objects.exists()


def test_keys_are_listed_newest_first_with_what_they_may(as_alice: Client, alice: User) -> None:
    now = timezone.now()
    first_key(alice)
    for name, scope in (("Second", Scope.SWAP), ("<b>Third</b>", Scope.TASKS)):
        api_keys.create_key(alice, now, name=name, scope=scope)
    raw = as_alice.get(KEYS).content.decode()
    names = ["&lt;b&gt;Third&lt;/b&gt;", "Second", "First key"]
    places = [raw.index(f"<h3>{name} ") for name in names]
    assert places == sorted(places)
    for word in ("Everything", "Requesting swaps", "Asking for tasks", "Never used", "Never ends"):
        assert word in raw
    for key in alice.api_keys.all():
        assert f"{key.prefix}…" in raw
        assert key.digest not in raw


def test_the_state_of_a_key_is_said(as_alice: Client, alice: User) -> None:
    now = timezone.now()
    made = {name: api_keys.create_key(alice, now, name=name)[0] for name in ("A", "B", "C", "D")}
    made["B"].revoke(now)
    ApiKey.objects.filter(pk=made["C"].pk).update(expires_at=now - DAY)
    ApiKey.objects.filter(pk=made["D"].pk).update(is_disabled=True)
    html = page(as_alice)
    message = dict(re.findall(r'<h3>(\w) <span class="state \w+">([^<]+)<', html))
    assert message == {"A": "Works", "B": "Revoked", "C": "Expired", "D": "Disabled by staff"}
    assert "Ended keys (2)" in html
    forms = re.findall(r'action="/api/keys/(\d+)/(rotate|revoke)/"', html)
    works, disabled = str(made["A"].pk), str(made["D"].pk)
    assert set(forms) == {(works, "rotate"), (works, "revoke"), (disabled, "revoke")}


def test_what_is_left_is_said(as_alice: Client, alice: User) -> None:
    first_key(alice)
    ApiAccess.objects.filter(user=alice).update(remaining=1498, spent=2)
    assert "1,498 of 1,500 left" in page(as_alice)
    ApiAccess.objects.filter(user=alice).update(remaining=0, spent=0)
    assert "No swaps left" in page(as_alice)


def test_uses_are_counted_by_day_and_told_to_everybody(as_alice: Client, alice: User) -> None:
    key = first_key(alice)
    today = timezone.now().astimezone(datetime.UTC).date()
    for days, count in ((0, 3), (29, 40), (30, 1000)):  # the last one is too old
        ApiKeyUse.objects.create(key=key, day=today - days * DAY, count=count)
    html = page(as_alice)
    assert 'aria-label="43 uses in the last 30 days, at most 40 on one day"' in html
    assert html.count('class="bars"') == 1


def test_each_day_of_use_can_be_seen_beside_a_busy_one() -> None:
    chart = draw_chart([0, 1, *[0] * 27, 1000])
    heights = [int(height) for height in re.findall(r"v-(\d+)", chart.path)]
    assert heights == [2, CHART_HEIGHT]
    assert draw_chart([0] * 30).path == ""


def test_the_list_asks_as_much_for_many_keys_as_for_one(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    key = first_key(alice)
    today = timezone.now().astimezone(datetime.UTC).date()
    increment_counter(ApiKeyUse.objects.all(), key=key, day=today)
    as_alice.get(KEYS)
    with django_assert_num_queries(6):  # session, user, access, open keys, ended keys, uses
        as_alice.get(KEYS)
    for number in range(20):
        more, _ = api_keys.create_key(alice, timezone.now(), name=f"Key {number}")
        increment_counter(ApiKeyUse.objects.all(), key=more, day=today)
    with django_assert_num_queries(6):
        as_alice.get(KEYS)


def test_an_endless_number_of_old_keys_keeps_none_that_works_from_sight(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    first_key(alice)
    now = timezone.now()
    ApiKey.objects.bulk_create(
        ApiKey(
            user=alice, name=f"Old {n}", prefix="fs_xxxxxx", digest=f"digest {n}", revoked_at=now
        )
        for n in range(300)
    )
    with django_assert_max_num_queries(6):
        html = page(as_alice)
    assert "First key" in html
    assert html.count('<li class="key') <= 100


# --- create -------------------------------------------------------------------------------


def test_a_new_key_is_shown_once_and_may_what_was_chosen(as_alice: Client, alice: User) -> None:
    first_key(alice)
    answer = as_alice.post(KEYS, NEW | {"scope": "tasks", "expiry": "90"})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    html = unescape(answer.content.decode())
    key = key_of(shown_token(html))
    assert (key.user, key.name, key.scope) == (alice, "Nightly", "tasks")
    assert key.expires_at
    assert abs(key.expires_at - timezone.now() - 90 * DAY) < datetime.timedelta(minutes=1)
    assert "/face/tasks" in html  # what this key may do
    assert "/face/swap" not in html


def test_a_key_can_end_on_a_day_of_its_own(as_alice: Client, alice: User) -> None:
    first_key(alice)
    day = timezone.localdate() + 40 * DAY
    html = as_alice.post(KEYS, NEW | {"expiry": "date", "expires_on": day.isoformat()})
    key = key_of(shown_token(html.content.decode()))
    assert key.expires_at
    assert timezone.localdate(key.expires_at) == day
    assert not key.is_expired(timezone.now() + 39 * DAY)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": ""}, "Give it a name"),
        ({"name": "   "}, "Give it a name"),
        ({"name": "x" * 61}, "at most 60 characters"),
        ({"name": "a\0b"}, "Null characters"),
        ({"scope": "admin"}, "not one of the available choices"),
        ({"expiry": "7000"}, "not one of the available choices"),
        ({"expiry": "date"}, "Choose the last day"),
        ({"expiry": "date", "expires_on": "soon"}, "like 2030-12-31"),
        ({"expiry": "date", "expires_on": "2020-01-01"}, "This day is over."),
        ({"expiry": "date", "expires_on": "9999-12-31"}, "At most ten years"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused_with_the_reason(
    as_alice: Client, alice: User, wrong: dict[str, str], message: str
) -> None:
    first_key(alice)
    answer = as_alice.post(KEYS, NEW | wrong)
    assert answer.status_code == 422
    assert message in unescape(answer.content.decode())
    assert alice.api_keys.count() == 1


def test_an_account_has_so_many_keys_and_no_more(as_alice: Client, alice: User) -> None:
    first_key(alice)
    for _ in range(api_keys.MAX_KEYS - 1):
        last, _token = api_keys.create_key(alice, timezone.now(), name="One of many")
    answer = as_alice.post(KEYS, NEW)
    assert answer.status_code == 422
    assert f"at most {api_keys.MAX_KEYS} keys" in answer.content.decode()
    last.revoke(timezone.now())
    assert as_alice.post(KEYS, NEW).status_code == 200


# --- rotate and revoke --------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 3600, 86_400, 604_800])
def test_a_rotated_key_goes_on_for_as_long_as_was_chosen(
    as_alice: Client, alice: User, seconds: int
) -> None:
    old = first_key(alice)
    answer = as_alice.post(reverse("swaps:rotate_key", args=[old.pk]), {"overlap": str(seconds)})
    assert "no-store" in answer.headers["Cache-Control"]
    new = key_of(shown_token(answer.content.decode()))
    assert (new.name, new.scope, new.expires_at) == (old.name, old.scope, None)
    old.refresh_from_db()
    assert old.expires_at
    left = (old.expires_at - timezone.now()).total_seconds()
    assert seconds - 60 < left <= seconds
    assert old.is_expired(timezone.now()) == (seconds == 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"revoked_at": timezone.now()}, "is revoked"),
        ({"expires_at": timezone.now() - DAY}, "is expired"),
        ({"is_disabled": True}, "is disabled"),
        ({"replaced_at": timezone.now(), "expires_at": timezone.now() + DAY}, "has a successor"),
    ],
)
def test_a_key_that_does_not_work_or_was_replaced_cannot_be_rotated(
    as_alice: Client, alice: User, fields: dict[str, object], message: str
) -> None:
    key = first_key(alice)
    ApiKey.objects.filter(pk=key.pk).update(**fields)
    answer = as_alice.post(
        reverse("swaps:rotate_key", args=[key.pk]), {"overlap": "3600"}, follow=True
    )
    assert message in unescape(answer.content.decode())
    assert alice.api_keys.count() == 1


@pytest.mark.parametrize("overlap", ["", "-1", "99", "x"])
def test_a_strange_overlap_changes_nothing(as_alice: Client, alice: User, overlap: str) -> None:
    key = first_key(alice)
    answer = as_alice.post(reverse("swaps:rotate_key", args=[key.pk]), {"overlap": overlap})
    assert answer.headers["Location"] == KEYS
    assert alice.api_keys.count() == 1


def test_a_revoked_key_is_refused_from_now_on(as_alice: Client, alice: User) -> None:
    key = first_key(alice)
    answer = as_alice.post(reverse("swaps:revoke_key", args=[key.pk]), follow=True)
    assert "“First key” is revoked." in unescape(answer.content.decode())
    assert not alice.api_keys.usable(timezone.now()).exists()
    assert "No key works now." in page(as_alice)


@pytest.mark.parametrize("name", ["rotate_key", "revoke_key"])
def test_somebody_elses_key_is_not_found(
    as_charlie: Client, as_staff: Client, alice: User, name: str
) -> None:
    key = first_key(alice)
    url = reverse(f"swaps:{name}", args=[key.pk])
    for client in (as_charlie, as_staff):
        assert client.post(url, {"overlap": "0"}).status_code == 404
    nowhere = reverse(f"swaps:{name}", args=[10**30])
    assert as_charlie.post(nowhere, {"overlap": "0"}).status_code == 404
    key.refresh_from_db()
    assert api_keys.key_state(key, timezone.now()) == "works"
    assert "First key" not in page(as_charlie)


def test_what_changes_something_needs_a_post(as_alice: Client, alice: User) -> None:
    key = first_key(alice)
    for name in ("rotate_key", "revoke_key"):
        assert as_alice.get(reverse(f"swaps:{name}", args=[key.pk])).status_code == 405
    assert as_alice.get(reverse("swaps:rotate_secret")).status_code == 405


def test_somebody_signed_out_is_led_to_the_sign_in(client: Client) -> None:
    assert client.get(KEYS).headers["Location"] == "/accounts/login/?next=%2Fapi%2Fkeys%2F"
    assert client.post(KEYS, NEW).status_code == 302
    assert not ApiKey.objects.exists()


# --- the secret that signs callbacks ------------------------------------------------------


def test_the_secret_is_shown_and_rotated_with_a_day_for_both(as_alice: Client, alice: User) -> None:
    first_key(alice)
    old = ApiAccess.objects.get().callback_secret
    html = page(as_alice)
    assert f'<code id="secret">{old}</code>' in html
    assert "signs as well" not in html

    answer = as_alice.post(reverse("swaps:rotate_secret"), {"last_rotated": ""}, follow=True)

    html = unescape(answer.content.decode())
    new = ApiAccess.objects.get().callback_secret
    assert new != old
    assert f'<code id="secret">{new}</code>' in html
    assert old not in html
    assert "The secret before this one signs as well, until" in html
    assert ApiAccess.objects.get().signing_secrets(timezone.now()) == [new, old]


def test_a_form_sent_twice_rotates_the_secret_once(as_alice: Client, alice: User) -> None:
    first_key(alice)
    old = ApiAccess.objects.get().callback_secret
    for _ in range(2):
        as_alice.post(reverse("swaps:rotate_secret"), {"last_rotated": ""})
    assert ApiAccess.objects.get().previous_secret == old
    mark = api_keys.secret_version(ApiAccess.objects.get())
    as_alice.post(reverse("swaps:rotate_secret"), {"last_rotated": mark})
    assert ApiAccess.objects.get().previous_secret != old
