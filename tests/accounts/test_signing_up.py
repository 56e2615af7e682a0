"""Signing up, in and out."""

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import reverse

from swaps.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def test_signing_up_needs_an_e_mail_and_a_password_and_signs_in_at_once(client: Client) -> None:
    answer = client.post(
        reverse("account_signup"), {"email": "Dora@Example.com", "password1": PASSWORD}
    )
    assert f'href="{reverse("swaps:new")}"' in client.get(answer.headers["Location"]).text
    assert client.get(reverse("swaps:new")).status_code == 200
    assert User.objects.get().email == "dora@example.com"
    assert mail.outbox[0].to == ["dora@example.com"]


def test_a_weak_password_is_refused_with_the_reason(client: Client) -> None:
    answer = client.post(reverse("account_signup"), {"email": "d@example.com", "password1": "1234"})
    assert "too short" in answer.content.decode()
    assert not User.objects.exists()


def test_an_address_for_which_there_is_no_room_is_refused_and_not_cut_off(
    client: Client, as_alice: Client
) -> None:
    address = "a" * 250 + "@b.de"
    count = User.objects.count()

    signed_up = client.post(
        reverse("account_signup"), {"email": address, "password1": PASSWORD}
    ).content.decode()
    added = as_alice.post(
        reverse("account_email"), {"email": address, "action_add": ""}
    ).content.decode()

    assert "at most 254 characters" in signed_up
    assert "at most 254 characters" in added
    assert User.objects.count() == count


def test_an_account_is_found_whatever_the_case_of_its_address(client: Client, alice: User) -> None:
    answer = client.post(
        reverse("account_login"), {"login": "ALICE@example.com", "password": PASSWORD}
    )
    assert answer.headers["Location"] == reverse("swaps:history")


def test_a_blocked_account_cannot_sign_in(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert client.get(reverse("swaps:history")).status_code == 302


def test_after_signing_in_one_comes_back(client: Client, alice: User) -> None:
    wanted = client.get(reverse("swaps:new")).headers["Location"]
    answer = client.post(wanted, {"login": alice.email, "password": PASSWORD})
    assert answer.headers["Location"] == reverse("swaps:new")


def test_nobody_is_sent_elsewhere_after_signing_in(client: Client, alice: User) -> None:
    url = reverse("account_login") + "?next=https://evil.example/"
    answer = client.post(url, {"login": alice.email, "password": PASSWORD})
    assert "evil" not in answer.headers["Location"]


def test_signing_out_needs_a_post(as_alice: Client) -> None:
    as_alice.get(reverse("account_logout"))
    assert as_alice.get(reverse("swaps:history")).status_code == 200
    as_alice.post(reverse("account_logout"))
    assert as_alice.get(reverse("swaps:history")).status_code == 302


def test_a_forgotten_password_is_mailed_and_tells_nothing_about_others(
    client: Client, alice: User
) -> None:
    for email in (alice.email, "nobody@example.com"):
        answer = client.post(reverse("account_reset_password"), {"email": email})
        assert answer.status_code == 302
    assert "/accounts/password/reset/key/" in mail.outbox[0].body


def test_links_in_mails_lead_to_this_site_whatever_host_was_claimed(
    client: Client, alice: User
) -> None:
    client.post(
        reverse("account_reset_password"), {"email": alice.email}, headers={"Host": "127.0.0.1:99"}
    )
    assert f"{settings.SITE_URL}/accounts/password/reset/key/" in mail.outbox[0].body
    assert "127.0.0.1:99" not in mail.outbox[0].body


@pytest.mark.parametrize(
    "name", ["account_login", "account_signup", "account_reset_password", "account_logout"]
)
def test_the_account_pages_open(client: Client, alice: User, name: str) -> None:
    client.force_login(alice) if name == "account_logout" else None
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", ["account_email", "account_change_password"])
def test_the_account_pages_of_a_member_open(as_alice: Client, name: str) -> None:
    assert as_alice.get(reverse(name)).status_code == 200


def test_who_has_one_address_is_offered_nothing_that_needs_two(as_alice: Client) -> None:
    url = reverse("account_email")
    EmailAddress.objects.create(email="alice@example.com", user=User.objects.get(), primary=True)
    assert "Make a link" in (page := as_alice.get(url).text)
    assert "Make it primary" not in page
    assert "Remove" not in page

    EmailAddress.objects.create(email="second@example.com", user=User.objects.get())
    assert "Make it primary" in (page := as_alice.get(url).text)
    assert "Remove" in page


def test_the_words_of_the_password_page_are_those_of_a_sentence(as_alice: Client) -> None:
    page = as_alice.get(reverse("account_change_password")).text
    for words in (
        "Change your password",
        "Current password",
        "New password",
        "Change the password",
    ):
        assert words in page
    assert "Change Password" not in page
