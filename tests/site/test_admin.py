"""Moderation in the admin."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from swaps.models import Quota, Swap, User
from tests.site.conftest import finished_swap

pytestmark = pytest.mark.django_db
LIST = "/admin/swaps/swap/"


def act(client: Client, url: str, action: str, *pks: object) -> str:
    data = {"action": action, "_selected_action": [str(pk) for pk in pks]}
    return client.post(url, data, follow=True).content.decode()


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


@pytest.mark.parametrize("query", ["x", "%00", "'", "4b13bdeb", "🙂"])
def test_any_search_is_answered(as_staff: Client, query: str) -> None:
    assert as_staff.get(LIST, {"q": query}).status_code == 200


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


def test_staff_remove_a_swap_with_its_pictures(as_staff: Client, alice: User) -> None:
    swap = finished_swap(alice)
    act(as_staff, LIST, "remove", swap.pk)
    swap.refresh_from_db()
    assert swap.status == "removed"
    thumb = reverse("admin:swaps_swap_thumb", args=[swap.pk, "result"])
    assert as_staff.get(thumb).status_code == 404
    assert as_staff.get(LIST).status_code == 200


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


def test_staff_create_a_user_and_grant_swaps(as_staff: Client, alice: User) -> None:
    answer = as_staff.post(
        "/admin/swaps/user/add/",
        {
            "email": "new@example.com",
            "usable_password": "true",
            "password1": "correct horse battery",
            "password2": "correct horse battery",
            "quota-TOTAL_FORMS": "0",
            "quota-INITIAL_FORMS": "0",
        },
    )
    assert answer.status_code == 302, answer.context["errors"]
    assert User.objects.filter(email="new@example.com").exists()


def test_a_grant_adds_to_what_is_left_now(as_staff: Client, alice: User) -> None:
    before = Quota.objects.of(alice).remaining
    url = reverse("admin:swaps_user_change", args=[alice.pk])
    assert as_staff.get(url).status_code == 200
    assert Quota.objects.spend(alice)  # while staff look at the page
    data = {
        "email": alice.email,
        "is_active": "on",
        "quota-TOTAL_FORMS": "1",
        "quota-INITIAL_FORMS": "1",
        "quota-0-user": str(alice.pk),
    }
    assert as_staff.post(url, data).status_code == 302
    assert Quota.objects.of(alice).remaining == before - 1
    assert as_staff.post(url, {**data, "quota-0-grant": "50"}).status_code == 302
    assert Quota.objects.of(alice).remaining == before + 49


def test_staff_delete_an_account_with_its_swaps(as_staff: Client, alice: User) -> None:
    finished_swap(alice)
    url = reverse("admin:swaps_user_delete", args=[alice.pk])
    assert as_staff.post(url, {"post": "yes"}).status_code == 302
    assert not Swap.objects.exists()


def test_every_admin_page_opens(as_staff: Client, alice: User) -> None:
    swap: Swap = finished_swap(alice)
    for url in (
        "/admin/",
        "/admin/swaps/user/",
        reverse("admin:swaps_user_change", args=[alice.pk]),
        reverse("admin:swaps_swap_history", args=[swap.pk]),
        "/admin/password_change/",
    ):
        assert as_staff.get(url).status_code == 200, url
