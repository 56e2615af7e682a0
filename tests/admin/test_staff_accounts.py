"""No door leads staff to the rights of a superuser, or into another staff account.

``mod`` has every model permission there is, and is no superuser.
"""

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from swaps.accounts import api_keys
from swaps.models import ApiKey, User
from tests.cast import signed_in

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
USERS = "/admin/swaps/user/"
ADDRESSES = "/admin/account/emailaddress/"
KEYS = "/admin/swaps/apikey/"


@pytest.fixture
def mod(db: None) -> User:
    mod = User.objects.create_user("mod@example.com", PASSWORD, is_staff=True)
    mod.user_permissions.set(Permission.objects.all())
    return mod


@pytest.fixture
def as_mod(mod: User) -> Client:
    return signed_in(mod)


@pytest.fixture
def colleague(db: None) -> User:
    return User.objects.create_user("colleague@example.com", PASSWORD, is_staff=True)


@pytest.fixture(params=["staff", "colleague", "mod", "dormant"])
def protected(request: pytest.FixtureRequest, staff: User, colleague: User, mod: User) -> User:
    """A superuser, other staff, oneself, and a superuser who may not open the admin now."""
    dormant = User.objects.create_superuser("dormant@example.com", PASSWORD, is_active=False)
    User.objects.filter(pk=dormant.pk).update(is_staff=False)
    users = {"staff": staff, "colleague": colleague, "mod": mod, "dormant": dormant}
    return users[request.param]


def form_of(user: User, **more: object) -> dict[str, object]:
    form = {
        "email": user.email,
        "is_active": "on",
        "grants-TOTAL_FORMS": "0",
        "grants-INITIAL_FORMS": "0",
    }
    return form | more


def act(client: Client, url: str, action: str, *pks: object) -> str:
    data = {"action": action, "_selected_action": pks, "confirmed": "yes", "post": "yes"}
    return client.post(url, data, follow=True).content.decode()


def state_of(user: User) -> tuple[object, ...]:
    user.refresh_from_db()
    rights = set(user.user_permissions.values_list("pk", flat=True))
    keys = list(ApiKey.objects.filter(user=user).values("is_disabled", "revoked_at"))
    addresses = list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary"))
    flags = (user.is_active, user.is_staff, user.is_superuser)
    return (user.email, user.password, flags, rights, keys, addresses)


def a_permission() -> str:
    return str(Permission.objects.all()[0].pk)


def change(user: User) -> str:
    return reverse("admin:swaps_user_change", args=[user.pk])


DOORS: dict[str, Callable[[Client, User], object]] = {
    "the form": lambda client, user: client.post(
        change(user), form_of(user, email="mine@example.com")
    ),
    "the rights": lambda client, user: client.post(
        change(user),
        form_of(user, is_superuser="on", is_staff="on", user_permissions=[a_permission()]),
    ),
    "the password": lambda client, user: client.post(
        f"{USERS}{user.pk}/password/",
        {
            "password1": "a new fine phrase",
            "password2": "a new fine phrase",
            "usable_password": "true",
        },
    ),
    "no password": lambda client, user: client.post(
        f"{USERS}{user.pk}/password/", {"usable_password": "false", "unset-password": "1"}
    ),
    "deleting": lambda client, user: client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}),
    "deleting many": lambda client, user: act(client, USERS, "delete_selected", user.pk),
    "blocking": lambda client, user: act(client, USERS, "block", user.pk),
    "unblocking": lambda client, user: act(client, USERS, "unblock", user.pk),
    "another address": lambda client, user: client.post(
        f"{ADDRESSES}add/",
        {"user": user.pk, "email": "mine@example.com", "verified": "on", "primary": "on"},
    ),
    "a changed address": lambda client, user: client.post(
        f"{ADDRESSES}{EmailAddress.objects.get(user=user).pk}/change/",
        {"user": user.pk, "email": "mine@example.com", "verified": "on", "primary": "on"},
    ),
    "a deleted address": lambda client, user: client.post(
        f"{ADDRESSES}{EmailAddress.objects.get(user=user).pk}/delete/", {"post": "yes"}
    ),
    "deleted addresses": lambda client, user: act(
        client, ADDRESSES, "delete_selected", EmailAddress.objects.get(user=user).pk
    ),
    "a verified address": lambda client, user: act(
        client, ADDRESSES, "make_verified", EmailAddress.objects.get(user=user).pk
    ),
    "a disabled key": lambda client, user: act(
        client, KEYS, "disable", *ApiKey.objects.filter(user=user).values_list("pk", flat=True)
    ),
    "an enabled key": lambda client, user: act(
        client, KEYS, "enable", *ApiKey.objects.filter(user=user).values_list("pk", flat=True)
    ),
    "a revoked key": lambda client, user: act(
        client, KEYS, "revoke", *ApiKey.objects.filter(user=user).values_list("pk", flat=True)
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_a_staff_account_is_changed_by_superusers_only(
    as_mod: Client, protected: User, door: str
) -> None:
    acquired = api_keys.acquire(protected)
    assert acquired
    ApiKey.objects.issue(protected, name="Stopped", is_disabled=True)
    EmailAddress.objects.create(user=protected, email=protected.email, primary=True)
    before = state_of(protected)

    DOORS[door](as_mod, protected)

    assert state_of(protected) == before


@pytest.mark.parametrize("door", ["the form", "the password", "deleting", "blocking"])
def test_a_superuser_changes_staff_accounts(as_staff: Client, colleague: User, door: str) -> None:
    EmailAddress.objects.create(user=colleague, email=colleague.email)
    before = state_of(colleague)
    DOORS[door](as_staff, colleague)
    assert not User.objects.filter(pk=colleague.pk).exists() or state_of(colleague) != before


def test_nobody_is_made_staff_but_by_superusers(
    as_mod: Client, as_staff: Client, alice: User
) -> None:
    rights = {"is_superuser": "on", "is_staff": "on", "user_permissions": [a_permission()]}
    form = form_of(alice, **rights)

    assert as_mod.post(change(alice), form).status_code == 302
    alice.refresh_from_db()
    assert (alice.is_superuser, alice.is_staff, alice.user_permissions.count()) == (False, False, 0)
    new = {"email": "new@example.com", "usable_password": "true", **rights}
    as_mod.post(f"{USERS}add/", new | {"password1": PASSWORD, "password2": PASSWORD})
    assert not User.objects.get(email="new@example.com").is_staff

    assert as_staff.post(change(alice), form).status_code == 302
    alice.refresh_from_db()
    assert (alice.is_superuser, alice.is_staff, alice.user_permissions.count()) == (True, True, 1)


def test_an_address_is_not_moved_to_a_staff_account(
    as_mod: Client, alice: User, staff: User
) -> None:
    address = EmailAddress.objects.create(user=alice, email="mine@example.com", verified=True)
    form = {"user": staff.pk, "email": address.email, "verified": "on"}
    page = as_mod.post(f"{ADDRESSES}{address.pk}/change/", form)
    assert page.status_code == 200  # refused, with a message
    address.refresh_from_db()
    assert address.user == alice


def test_of_many_the_other_accounts_are_blocked_and_it_is_said(
    as_mod: Client, alice: User, staff: User
) -> None:
    page = act(as_mod, USERS, "block", alice.pk, staff.pk)
    alice.refresh_from_db()
    staff.refresh_from_db()
    assert (alice.is_active, staff.is_active) == (False, True)
    assert "1 left as they are: only superusers change staff accounts." in page


def test_other_staff_see_a_superuser_and_no_way_to_change_it(as_mod: Client, staff: User) -> None:
    page = as_mod.get(change(staff)).content.decode()
    assert staff.email in page
    assert staff.password not in page
    assert 'name="_save"' not in page
    assert f"{USERS}{staff.pk}/password/" not in page
    assert as_mod.get(f"{USERS}{staff.pk}/password/").status_code == 403
    assert as_mod.get(f"{USERS}{staff.pk}/history/").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        f"{USERS}?password__startswith=md5",
        f"{ADDRESSES}?user__password__startswith=md5",
        f"{KEYS}?user__password__startswith=md5",
        f"{KEYS}?user__apiaccess__callback_secret__startswith=w",
        "/admin/swaps/swap/?owner__password__startswith=md5",
    ],
)
def test_no_secret_is_guessed_by_filtering(as_mod: Client, query: str, staff: User) -> None:
    answer = as_mod.get(query)
    assert answer.status_code in {302, 400}
    if answer.status_code == 302:
        assert answer.headers["Location"].endswith("?e=1")


def test_groups_and_rights_have_no_page(as_mod: Client) -> None:
    for model in ("auth/group", "auth/permission", "sessions/session"):
        assert as_mod.get(f"/admin/{model}/").status_code == 404
