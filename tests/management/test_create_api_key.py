"""manage.py create_api_key: the key alone on stdout, and the quota that goes with it."""

import io

import pytest
from django.conf import settings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from swaps.accounts import api_keys
from swaps.models import ApiAccess, ApiKey, Grant, User

pytestmark = pytest.mark.django_db
EMAIL = "alice@example.com"
FREE = settings.FACESWAP_API_FREE_SWAPS


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user(EMAIL, "correct horse battery")


def run(*arguments: str) -> tuple[str, str]:
    """What the command says on stdout and on stderr."""
    out, err = io.StringIO(), io.StringIO()
    call_command("create_api_key", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_key_stands_alone_on_stdout_and_works(alice: User) -> None:
    out, err = run(EMAIL, "--name", "Nightly", "--scope", "swap")
    assert out.count("\n") == 1
    key = ApiKey.objects.find(out.strip())
    assert key
    assert (key.user, key.name, key.scope) == (alice, "Nightly", "swap")
    assert "Nightly" in err
    assert out.strip() not in err


def test_the_address_is_found_in_any_case(alice: User) -> None:
    key = ApiKey.objects.find(run("ALICE@Example.COM")[0].strip())
    assert key
    assert key.user == alice


def test_without_an_account_nothing_is_made() -> None:
    with pytest.raises(CommandError, match="--create"):
        run("nobody@example.com")
    assert not User.objects.exists()


def test_an_account_made_for_a_key_can_get_its_password_by_mail(client: Client) -> None:
    key = ApiKey.objects.find(run("New@example.com", "--create")[0].strip())
    assert key
    assert key.user.email == "new@example.com"
    assert not key.user.has_usable_password()
    client.post(reverse("account_reset_password"), {"email": "new@example.com"})
    assert "/accounts/password/reset/key/" in mail.outbox[0].body


def test_create_takes_the_account_that_is_there(alice: User) -> None:
    run(EMAIL, "--create")
    assert User.objects.get().check_password("correct horse battery")


@pytest.mark.parametrize(
    ("before", "arguments", "left", "granted"),
    [
        (None, (), FREE, []),
        (None, ("--quota", "500"), 500, []),
        (None, ("--quota", "0"), 0, []),
        (3, (), 3, []),
        (3, ("--quota", "500"), 503, [500]),
        (3, ("--quota", "0"), 3, []),
    ],
)
def test_the_quota_is_granted_instead_of_the_free_one_or_on_top(
    alice: User, before: int | None, arguments: tuple[str, ...], left: int, granted: list[int]
) -> None:
    if before is not None:
        ApiAccess.objects.create(user=alice, remaining=before)
    run(EMAIL, *arguments)
    assert ApiAccess.objects.get(user=alice).remaining == left
    grants = Grant.objects.filter(user=alice, door="api", reason="create_api_key")
    assert [grant.amount for grant in grants] == granted


@pytest.mark.parametrize(
    "arguments",
    [
        (EMAIL, "--quota", "-1"),
        (EMAIL, "--quota", "many"),
        (EMAIL, "--scope", "admin"),
        (EMAIL, "--name", " "),
        (EMAIL, "--name", "x" * 61),
        ("no address", "--create"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    alice: User, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(CommandError):
        run(*arguments)
    assert not ApiKey.objects.exists()
    assert not ApiAccess.objects.exists()
    assert User.objects.count() == 1


def test_a_blocked_account_gets_no_key(alice: User) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="blocked"):
        run(EMAIL)
    assert not ApiKey.objects.exists()


def test_the_limit_of_keys_holds_here_too_and_takes_the_grant_back(alice: User) -> None:
    for _ in range(api_keys.MAX_KEYS):
        run(EMAIL)
    with pytest.raises(CommandError, match=f"at most {api_keys.MAX_KEYS} keys"):
        run(EMAIL, "--quota", "9")
    assert ApiAccess.objects.get().remaining == FREE
    assert not Grant.objects.exists()
