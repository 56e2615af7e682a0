"""Who tries passwords is stopped, and nobody else."""

import datetime

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from swaps.accounts.limits import address_range
from swaps.models import User
from swaps.processes.clock import delete_expired_cache
from swaps.runtime import database_cache as cache_module
from tests.accounts.forms import OTHER, reset, reset_link

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
HOME, STRANGE = "198.51.100.1", "192.0.2.1"


def sign_in(user: User, password: str, client_address: str) -> bool:
    client = Client(REMOTE_ADDR=client_address)
    client.post(reverse("account_login"), {"login": user.email, "password": password})
    return client.get(reverse("swaps:history")).status_code == 200


def lock(user: User, client_address: str = STRANGE) -> None:
    for number in range(5):
        assert not sign_in(user, f"wrong {number}", client_address)
    assert not sign_in(user, PASSWORD, client_address)


def rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM cache")
        count: int = cursor.fetchone()[0]
    return count


def test_five_wrong_passwords_lock_an_account_for_their_address_and_no_other(alice: User) -> None:
    lock(alice)
    assert sign_in(alice, PASSWORD, HOME)


def test_another_address_of_the_account_is_no_further_try(alice: User) -> None:
    for email in (alice.email, "alice@example.org"):
        EmailAddress.objects.create(user=alice, email=email, verified=True)
    lock(alice)
    alice.email = "alice@example.org"  # not saved: what is typed
    assert not sign_in(alice, PASSWORD, STRANGE)


def test_a_locked_account_stays_locked_however_much_is_kept_besides(alice: User) -> None:
    lock(alice)
    for number in range(170):
        Client(REMOTE_ADDR=f"10.1.{number}.1").post(
            reverse("account_reset_password"), {"email": f"nobody{number}@example.com"}
        )
    assert rows() > 300
    assert not sign_in(alice, PASSWORD, STRANGE)


def test_what_still_holds_is_kept_even_when_there_is_too_much(settings: Settings) -> None:
    small = {**settings.CACHES["default"], "OPTIONS": {"MAX_ENTRIES": 10}}
    settings.CACHES = {"default": small}
    for number in range(30):
        cache.set(f"lock-{number}", 1, 300)
    assert all(cache.get(f"lock-{number}") for number in range(30))


def test_there_is_room_for_many_locks(settings: Settings) -> None:
    assert settings.CACHES["default"]["OPTIONS"]["MAX_ENTRIES"] == 100_000


def test_the_clock_deletes_what_has_expired_in_bounded_steps(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(cache_module, "MAX_DELETED", 3)
    cache.set("holds", 1, 300)
    for number in range(5):
        cache.set(f"expired-{number}", 1, -1)
    for number in range(4):
        cache.set(f"short-{number}", 1, 300)
    with connection.cursor() as cursor:
        long_ago = timezone.now().replace(microsecond=0) - datetime.timedelta(hours=1)
        value = connection.ops.adapt_datetimefield_value(long_ago)
        cursor.execute("UPDATE cache SET expires = %s WHERE cache_key LIKE %s", [value, "%short%"])
    before = rows()
    with django_assert_num_queries(1):
        delete_expired_cache(timezone.now())
    assert rows() == before - 3
    delete_expired_cache(timezone.now())
    assert cache.get("holds")


def test_who_tries_from_many_addresses_is_stopped_but_not_an_owner_who_was_here_before(
    alice: User,
) -> None:
    assert sign_in(alice, PASSWORD, HOME)
    for number in range(50):
        assert not sign_in(alice, "wrong", f"10.2.{number}.1")
    assert not sign_in(alice, PASSWORD, "10.3.1.1")
    assert sign_in(alice, PASSWORD, HOME)


def test_a_reset_by_mail_opens_the_lock(alice: User) -> None:
    for number in range(50):
        sign_in(alice, "wrong", f"10.2.{number}.1")
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    reset(reset_link(alice.email))
    assert sign_in(alice, OTHER, STRANGE)


def test_right_passwords_do_not_count(alice: User) -> None:
    assert all(sign_in(alice, PASSWORD, STRANGE) for _ in range(8))


@pytest.mark.parametrize("exists", [True, False])
def test_a_lock_tells_nothing_about_an_address(alice: User, exists: bool) -> None:
    login = alice.email if exists else "nobody@example.com"
    client = Client(REMOTE_ADDR=STRANGE)
    pages = [
        client.post(reverse("account_login"), {"login": login, "password": "wrong"}).text
        for _ in range(6)
    ]
    assert all("are not correct" in page for page in pages[:5])
    assert "Too many failed login attempts" in pages[5]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2::3", "2001:db8:1::/48"),
        ("unix", "unix"),
    ],
)
def test_addresses_of_one_customer_count_together(address: str, expected: str) -> None:
    assert address_range(address) == expected
