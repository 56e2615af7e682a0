"""Whoever owns the mailbox owns the account; what somebody else made of it ends."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from swaps.accounts import api_keys, possession
from swaps.clock.retention import remove_unconfirmed_swaps
from swaps.deliveries import inspector
from swaps.lifecycle.uploads import keep_upload
from swaps.models import (
    ApiAccess,
    ApiKey,
    Delivery,
    InspectedCallback,
    Quota,
    Status,
    Swap,
    Upload,
    User,
)
from tests.accounts.forms import (
    OTHER,
    PASSWORD,
    is_in,
    mailed_link,
    reset,
    reset_link,
    sign_in,
    sign_up,
)
from tests.cast import signed_in
from tests.pictures import photo
from tests.swap_rows import finished_swap, queued_swap

pytestmark = pytest.mark.django_db
OWNER, SQUATTER = "owner@example.com", "squatter@example.com"
Prove = Callable[[Client], Any]


def confirm(client: Client, email: str, **fields: str) -> Any:
    return client.post(mailed_link("confirm-email", email), fields, follow=True)


@pytest.fixture
def squatter() -> Client:
    """Signed up with the owner's address, and dug in."""
    client = sign_up(OWNER)
    client.post(reverse("swaps:acquire"))
    client.post(reverse("account_email"), {"action_add": "", "email": SQUATTER})
    return client


@pytest.fixture
def account(squatter: Client) -> User:
    return User.objects.get()


def works(key: ApiKey) -> bool:
    return ApiKey.objects.usable(timezone.now()).filter(pk=key.pk).exists()


def by_reset(_squatter: Client) -> Any:
    return reset(reset_link(OWNER))


def by_confirming_elsewhere(_squatter: Client) -> Any:
    return confirm(Client(), OWNER)


def by_confirming_here(squatter: Client) -> Any:
    return confirm(squatter, OWNER)


@pytest.mark.parametrize("prove", [by_reset, by_confirming_elsewhere, by_confirming_here])
def test_a_proof_of_the_mailbox_ends_what_could_open_the_account(
    squatter: Client, account: User, prove: Prove
) -> None:
    others = [signed_in(account), sign_in(OWNER, PASSWORD)]
    key, secret = account.api_keys.get(), account.apiaccess.callback_secret
    account.apiaccess.rotate_secret(timezone.now())
    inspector_token = inspector.token_of_url(inspector.inspector_url(account)) or ""
    inspector.receive(inspector_token, {}, b"{}")
    keep_upload(account, photo())

    prove(squatter)

    account.refresh_from_db()
    assert not any(is_in(each) for each in others)
    assert not works(key)
    assert secret not in ApiAccess.objects.get().signing_secrets(timezone.now())
    assert len(ApiAccess.objects.get().signing_secrets(timezone.now())) == 1
    assert inspector.receive(inspector_token, {}, b"{}") == 404
    assert not InspectedCallback.objects.exists()
    assert not Upload.objects.exists()
    [address] = EmailAddress.objects.all()
    assert (address.email, address.verified, address.primary) == (OWNER, True, True)


def test_whoever_confirms_where_they_signed_up_stays_signed_in_and_keeps_their_swaps() -> None:
    client = sign_up(OWNER)
    swap = queued_swap(User.objects.get())

    page = confirm(client, OWNER)

    assert f"{OWNER} is confirmed. All other browsers are signed out." in page.text
    assert is_in(client)
    assert Swap.objects.visible_to(User.objects.get()).get() == swap
    assert is_in(sign_in(OWNER, PASSWORD))


def test_the_page_of_a_confirmation_elsewhere_offers_to_sign_in_and_then_nothing_is_lost() -> None:
    sign_up(OWNER)
    elsewhere = Client()
    page = elsewhere.get(mailed_link("confirm-email", OWNER)).text
    sign_in_url = re.findall(r'href="(/accounts/login/\?next=[^"]+)"', page)[0]
    swap = queued_swap(User.objects.get())

    elsewhere.post(sign_in_url, {"login": OWNER, "password": PASSWORD})
    confirm(elsewhere, OWNER)

    assert is_in(elsewhere)
    assert Swap.objects.visible_to(User.objects.get()).get() == swap


def test_a_squatters_password_ends_when_the_owner_only_confirms(squatter: Client) -> None:
    page = confirm(Client(), OWNER)
    assert "Choose a new password" in page.text
    assert not is_in(sign_in(OWNER, PASSWORD))

    reset(reset_link(OWNER))
    assert is_in(sign_in(OWNER, OTHER))


def test_the_attacker_cannot_reset_back_in(squatter: Client, account: User) -> None:
    before = mailed_link("confirm-email", SQUATTER)
    assert reset_link(SQUATTER) == ""  # an address that nobody confirmed gets none
    reset(reset_link(OWNER))

    assert reset_link(SQUATTER) == ""
    squatter.post(before)
    assert EmailAddress.objects.get().email == OWNER


def test_a_link_from_before_ends_with_a_confirmation(squatter: Client) -> None:
    old = reset_link(OWNER)
    confirm(squatter, OWNER)
    assert "This link does not work" in Client().get(old, follow=True).text


def test_an_address_that_was_confirmed_gets_its_links_at_the_first_address(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    EmailAddress.objects.create(user=alice, email="alias@example.com", verified=True)
    assert reset_link("alias@example.com") == ""
    assert mailed_link("password/reset/key", alice.email)


@pytest.mark.parametrize("keeps", [False, True])
def test_swaps_from_before_the_first_proof_are_kept_only_if_they_are_claimed(
    squatter: Client, account: User, keeps: bool
) -> None:
    finished = finished_swap(account)
    Delivery.objects.create(swap=finished, owner=account, url="https://squatter.example/")
    queued_swap(account)
    url = reset_link(OWNER)
    assert "2 swaps made with it: mine, keep them" in Client().get(url, follow=True).text

    reset(url, **({"keep_swaps": "on"} if keeps else {}))

    assert Swap.objects.visible_to(account).count() == (2 if keeps else 0)
    shown = sign_in(OWNER, OTHER).get(reverse("swaps:deliveries")).text
    assert ("squatter.example" in shown) is keeps
    remove_unconfirmed_swaps(timezone.now())
    statuses = set(Swap.objects.values_list("status", flat=True))
    assert statuses == ({Status.SUCCEEDED, Status.QUEUED} if keeps else {Status.REMOVED})
    account.refresh_from_db()
    assert account.forget_swaps_before is None
    assert Delivery.objects.exists() is keeps
    assert Quota.objects.get_or_grant(account).spent == (2 if keeps else 1)


def test_a_later_reset_keeps_swaps_and_ends_keys(squatter: Client, account: User) -> None:
    confirm(squatter, OWNER)
    queued_swap(account)
    key, _ = ApiKey.objects.issue(account)

    page = reset(reset_link(OWNER))

    assert Swap.objects.visible_to(account).count() == 1
    assert not works(key)
    assert "API keys that were revoked: 1." in page.text


def test_the_new_owner_has_the_free_swaps_and_sees_no_names_of_keys(
    squatter: Client, account: User
) -> None:
    Quota.objects.get_or_grant(account)
    Quota.objects.update(remaining=0, spent=1000)
    account.api_keys.update(name="squatter's own words")
    reset(reset_link(OWNER))
    assert Quota.objects.get().remaining > 0
    assert "own words" not in sign_in(OWNER, OTHER).get(reverse("swaps:keys")).text


def test_a_key_that_the_operator_made_outlives_the_first_password(client: Client) -> None:
    user = User.objects.create_user(OWNER)
    key, _ = ApiKey.objects.issue(user)
    reset(reset_link(OWNER))
    assert works(key)
    assert is_in(sign_in(OWNER, OTHER))


def test_a_key_cannot_be_made_by_a_request_that_is_under_way_when_access_ends(
    squatter: Client, account: User
) -> None:
    in_the_request = User.objects.get()
    reset(reset_link(OWNER))
    with pytest.raises(api_keys.KeyRefused, match="signed out"):
        api_keys.create_key(in_the_request, timezone.now())
    with pytest.raises(api_keys.KeyRefused, match="signed out"):
        api_keys.rotate_secret(in_the_request, timezone.now())


# --- addresses ---------------------------------------------------------------------------------


def test_an_address_becomes_the_first_only_once_it_is_confirmed(
    squatter: Client, account: User
) -> None:
    squatter.post(reverse("account_email"), {"action_primary": "", "email": SQUATTER})
    account.refresh_from_db()
    assert account.email == OWNER


def test_confirming_an_address_of_ones_own_frees_the_one_that_was_squatted(
    squatter: Client, account: User
) -> None:
    confirm(squatter, SQUATTER)
    account.refresh_from_db()
    assert account.email == SQUATTER

    owner = sign_up(OWNER)

    assert is_in(owner)
    assert {user.email for user in User.objects.all()} == {OWNER, SQUATTER}


def test_an_unconfirmed_second_address_does_not_keep_its_owner_from_signing_up(
    as_alice: Client,
) -> None:
    as_alice.post(reverse("account_email"), {"action_add": "", "email": OWNER})
    owner = sign_up(OWNER, OTHER)
    assert is_in(owner)
    assert is_in(sign_in(OWNER, OTHER))
    confirm(owner, OWNER)
    assert EmailAddress.objects.get(email=OWNER).user.email == OWNER


def test_whoever_confirms_a_further_address_takes_it_from_who_signed_up_with_it(
    squatter: Client, account: User, alice: User
) -> None:
    key = account.api_keys.get()
    queued_swap(account)
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    as_alice = signed_in(alice)
    cache.clear()  # three minutes later
    as_alice.post(reverse("account_email"), {"action_add": "", "email": OWNER})

    confirm(as_alice, OWNER)
    as_alice.post(reverse("account_email"), {"action_primary": "", "email": OWNER})

    alice.refresh_from_db()
    account.refresh_from_db()
    assert alice.email == OWNER
    assert is_in(as_alice)
    assert not is_in(squatter)
    assert not works(key)
    assert not Swap.objects.visible_to(account).exists()
    assert not account.is_active


def test_a_stranger_who_is_tricked_into_a_click_gives_nobody_their_address(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    signed_in(alice).post(reverse("account_email"), {"action_add": "", "email": OWNER})
    confirm(Client(), OWNER)
    assert not EmailAddress.objects.get(email=OWNER).verified


# --- signing up with an address that is taken --------------------------------------------------


def shape(answer: Any, client: Client) -> tuple[object, ...]:
    cookies = {name: bool(morsel.value) for name, morsel in answer.cookies.items()}
    page = client.get(answer.headers["Location"])
    text = re.sub(r'(name="csrfmiddlewaretoken" value=")\w+', r"\1", page.text)
    return answer.status_code, answer.headers["Location"], cookies, page.status_code, text


@pytest.mark.parametrize("sends_mail", [False, True])
@pytest.mark.parametrize("is_confirmed", [False, True])
def test_signing_up_tells_nothing_about_an_address(
    alice: User, settings: Any, sends_mail: bool, is_confirmed: bool
) -> None:
    settings.SENDS_MAIL = sends_mail
    EmailAddress.objects.create(user=alice, email=alice.email, verified=is_confirmed, primary=True)
    shapes = []
    for email in (alice.email, "new@example.com"):
        client = Client()
        form = {"email": email, "password1": OTHER, "next": "/docs/api/"}
        shapes.append(shape(client.post(reverse("account_signup"), form), client))
    assert shapes[0] == shapes[1]
    assert is_in(sign_in(alice.email, PASSWORD))
    assert not is_in(sign_in(alice.email, OTHER))


def test_the_owner_of_a_taken_address_gets_a_way_in_by_mail(squatter: Client) -> None:
    mail.outbox.clear()
    EmailAddress.objects.update(verified=False)
    cache.clear()  # three minutes later
    sign_up(OWNER, OTHER)
    assert [message.to for message in mail.outbox] == [[OWNER]]

    reset(mailed_link("password/reset/key", OWNER))

    assert is_in(sign_in(OWNER, OTHER))
    assert not is_in(squatter)


def test_two_who_sign_up_at_once_with_one_address_get_the_same_answer(
    monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    seen = iter([None, alice])
    monkeypatch.setattr(possession, "find_account", lambda _email: next(seen))
    answer = Client().post(reverse("account_signup"), {"email": alice.email, "password1": OTHER})
    assert answer.headers["Location"] == reverse("account_email_verification_sent")


# --- what the pages say ------------------------------------------------------------------------


@pytest.mark.parametrize("sends_mail", [False, True])
def test_no_page_says_that_a_mail_was_sent_when_none_can_be(
    as_alice: Client, settings: Any, sends_mail: bool
) -> None:
    settings.SENDS_MAIL = sends_mail
    email = reverse("account_email")
    pages = [
        Client().get(reverse(name)).text
        for name in (
            "account_reset_password",
            "account_reset_password_done",
            "account_email_verification_sent",
        )
    ]
    pages += [
        as_alice.post(email, form, follow=True).text
        for form in (
            {"action_add": "", "email": "second@example.com"},
            {"action_send": "", "email": "alice@example.com"},
        )
    ]
    claims = re.compile(r"on its way|is sent to you|Look into your mail|have sent|been sent")
    asks = "ask the people who run the site"
    for page in pages:
        assert bool(claims.search(page)) is sends_mail
        assert (asks in page.lower()) is not sends_mail


def test_mails_to_addresses_without_an_account_are_limited_by_range_of_addresses() -> None:
    def ask(number: int, client_address: str) -> None:
        Client(REMOTE_ADDR=client_address).post(
            reverse("account_reset_password"), {"email": f"nobody{number}@example.com"}
        )

    for number in range(15):
        ask(number, f"192.0.2.{number}")
    assert len(mail.outbox) == 10
    for number in range(15):
        ask(100 + number, f"2001:db8:7:{number}::1")
    assert len(mail.outbox) == 20
    ask(200, "198.51.100.1")
    assert len(mail.outbox) == 21


def test_a_password_that_staff_set_ends_the_same(
    squatter: Client, account: User, as_staff: Client
) -> None:
    key = account.api_keys.get()
    form = {"usable_password": "true", "password1": OTHER, "password2": OTHER}
    as_staff.post(reverse("admin:auth_user_password_change", args=[account.pk]), form)
    assert not is_in(squatter)
    assert not works(key)
    assert is_in(sign_in(OWNER, OTHER))
    address = EmailAddress.objects.get(user=account)
    assert (address.email, address.verified) == (OWNER, False)
