"""Which keys work, and what every authenticated answer says besides."""

import datetime
import time

import pytest
from django.utils import timezone
from pytest_django import Settings

from swaps.accounts import rate_limit
from swaps.models import ApiAccess, ApiKey, ApiKeyUse, CallCount, Quota, Scope, User
from swaps.models.counters import increment_counter
from tests.api_caller import Caller, error_code

pytestmark = pytest.mark.django_db
HOUR = datetime.timedelta(hours=1)
RETRIEVE = {"id": "nothing", "action": "retrieve"}


def test_a_key_works_until_its_date(alice: User) -> None:
    fresh = Caller(alice, expires_at=timezone.now() + HOUR)
    stale = Caller(alice, expires_at=timezone.now() - HOUR)
    assert fresh.swap().status_code == 200
    answer = stale.swap()
    assert (answer.status_code, error_code(answer)) == (401, "token_expired")


def test_a_revoked_key_is_no_key(caller: Caller) -> None:
    assert caller.key.revoke(timezone.now())
    assert error_code(caller.swap()) == "invalid_token"
    assert not caller.key.revoke(timezone.now())


def test_a_disabled_key_or_account_is_told_so(caller: Caller, alice: User) -> None:
    ApiKey.objects.filter(pk=caller.key.pk).update(is_disabled=True)
    disabled_key = caller.swap()
    ApiKey.objects.filter(pk=caller.key.pk).update(is_disabled=False)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    disabled_account = caller.swap()
    for answer in (disabled_key, disabled_account):
        assert (answer.status_code, error_code(answer)) == (403, "disabled")


@pytest.mark.parametrize(
    ("scope", "swap_code", "tasks_code"),
    [
        (Scope.ALL, "", "not_found"),
        (Scope.SWAP, "", "token_mismatched"),
        (Scope.TASKS, "token_mismatched", "not_found"),
    ],
)
def test_a_key_does_what_its_scope_covers(
    alice: User, scope: Scope, swap_code: str, tasks_code: str
) -> None:
    caller = Caller(alice, scope=scope)
    swap = caller.swap()
    assert (swap.status_code == 200) if not swap_code else (error_code(swap) == swap_code)
    assert error_code(caller.tasks(RETRIEVE)) == tasks_code


def test_the_old_key_works_for_the_overlap_of_a_rotation(caller: Caller) -> None:
    now = timezone.now()
    new_key, token = caller.key.rotate(now, HOUR)
    caller.key.refresh_from_db()
    assert (new_key.name, new_key.scope) == (caller.key.name, caller.key.scope)
    assert caller.key.expires_at == now + HOUR
    assert caller.swap().status_code == 200
    caller.token = token
    assert caller.swap().status_code == 200


def test_a_rotation_never_makes_the_old_key_live_longer(alice: User) -> None:
    now = timezone.now()
    caller = Caller(alice, expires_at=now + HOUR)
    caller.key.rotate(now, 5 * HOUR)
    caller.key.refresh_from_db()
    assert caller.key.expires_at == now + HOUR


def test_uses_are_counted_by_day_and_the_last_one_is_noted(caller: Caller) -> None:
    for _ in range(3):
        caller.tasks(RETRIEVE)
    use = ApiKeyUse.objects.get(key=caller.key)
    caller.key.refresh_from_db()
    assert (use.count, use.day) == (3, timezone.now().date())
    assert caller.key.last_used_at


def test_every_authenticated_answer_says_what_is_left(caller: Caller) -> None:
    for answer, left in ((caller.tasks(RETRIEVE), "20"), (caller.swap(), "19")):
        assert answer["x-ratelimit-limit"] == "300"
        assert 0 < int(answer["x-ratelimit-reset"]) - timezone.now().timestamp() <= 60
        assert answer["x-quota-remaining"] == left
    assert int(answer["x-ratelimit-remaining"]) < 300


def test_past_the_rate_limit_an_account_is_told_when_to_come_back(
    caller: Caller, stranger: Caller, settings: Settings
) -> None:
    settings.FACESWAP_API_CALLS_PER_MINUTE = 2
    while timezone.now().second >= 57:  # all of it within one minute
        time.sleep(0.1)
    caller.tasks(RETRIEVE)
    caller.tasks(RETRIEVE)
    answer = caller.tasks(RETRIEVE)
    assert (answer.status_code, error_code(answer)) == (429, "too_many_requests")
    assert 1 <= int(answer["retry-after"]) <= 60
    assert answer["x-ratelimit-remaining"] == "0"
    assert error_code(stranger.tasks(RETRIEVE)) == "not_found"
    assert CallCount.objects.get(user=caller.user).count == 2


def test_the_next_minute_begins_anew(alice: User, settings: Settings) -> None:
    settings.FACESWAP_API_CALLS_PER_MINUTE = 1
    now = timezone.now()
    assert [rate_limit.count_call(alice, now)[1] for _ in range(2)] == [True, False]
    assert rate_limit.count_call(alice, now + datetime.timedelta(minutes=1))[1]


def test_a_counter_stops_at_its_limit(caller: Caller) -> None:
    day = timezone.now().date()
    uses = ApiKeyUse.objects.all()
    counted = [increment_counter(uses, limit=2, key=caller.key, day=day) for _ in range(4)]
    assert counted == [True, True, False, False]


def test_the_quota_of_the_api_is_not_that_of_the_browser(caller: Caller, alice: User) -> None:
    caller.swap()
    assert ApiAccess.objects.get_or_grant(alice).spent == 1
    assert Quota.objects.get_or_grant(alice).spent == 0
