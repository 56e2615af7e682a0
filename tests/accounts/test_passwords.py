"""One password, however the keyboard puts its letters together."""

import unicodedata
from collections.abc import Callable

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from swaps.models import User
from tests.accounts.forms import is_in, reset, reset_link, sign_in, sign_up
from tests.cast import signed_in

pytestmark = pytest.mark.django_db
EMAIL = "zoe@example.com"
NFC = unicodedata.normalize("NFC", "žluťoučký kůň Ångström")
NFD = unicodedata.normalize("NFD", NFC)
OLD = "correct horse battery"


def by_sign_up(password: str) -> None:
    sign_up(EMAIL, password)


def by_change(password: str) -> None:
    client = signed_in(User.objects.create_user(EMAIL, OLD))
    new = {"oldpassword": OLD, "password1": password, "password2": other_form(password)}
    client.post(reverse("account_change_password"), new)


def by_setting(password: str) -> None:
    client = signed_in(User.objects.create_user(EMAIL))
    new = {"password1": password, "password2": other_form(password)}
    client.post(reverse("account_set_password"), new)


def by_reset(password: str) -> None:
    User.objects.create_user(EMAIL, OLD)
    reset(reset_link(EMAIL), password)


def by_staff(password: str) -> None:
    user = User.objects.create_user(EMAIL, OLD)
    staff = signed_in(User.objects.create_superuser("staff@example.com", OLD))
    new = {"usable_password": "true", "password1": password, "password2": password}
    staff.post(reverse("admin:auth_user_password_change", args=[user.pk]), new)


def by_command(password: str) -> None:
    User.objects.create_superuser(EMAIL, password)


def other_form(password: str) -> str:
    return NFD if password == NFC else NFC


WAYS = [by_sign_up, by_change, by_setting, by_reset, by_staff, by_command]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("password", [NFC, NFD], ids=["NFC", "NFD"])
def test_a_password_works_in_both_forms(way: Callable[[str], None], password: str) -> None:
    way(password)
    assert is_in(sign_in(EMAIL, NFC))
    assert is_in(sign_in(EMAIL, NFD))


def test_createsuperuser_normalizes_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", NFD)
    call_command("createsuperuser", interactive=False, email=EMAIL, verbosity=0)
    assert is_in(sign_in(EMAIL, NFC))


@pytest.mark.parametrize("kept", [NFC, NFD], ids=["NFC", "NFD"])
def test_a_password_that_was_kept_as_typed_still_works_as_it_was_typed(kept: str) -> None:
    User.objects.create(email=EMAIL, password=make_password(kept))
    assert is_in(sign_in(EMAIL, kept))


def test_what_only_looks_alike_is_another_password() -> None:
    User.objects.create_user(EMAIL, "a ﬁne long phrase")
    assert not is_in(sign_in(EMAIL, "a fine long phrase"))


def test_length_is_counted_in_letters(client: Client) -> None:
    short = unicodedata.normalize("NFD", "éàüčžšů")  # 7 letters, 14 code points
    page = client.post(reverse("account_signup"), {"email": EMAIL, "password1": short})
    assert "too short" in page.text


def test_an_unknown_address_costs_as_many_hashes_as_a_wrong_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    User.objects.create_user(EMAIL, OLD)
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def count(hasher: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(hasher, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)
    counts = []
    for email in (EMAIL, "nobody@example.com"):
        for wrong in (NFC, NFD):
            hashed.clear()
            sign_in(email, wrong)
            counts.append(len(hashed))
    assert counts == [1, 2, 1, 2]
