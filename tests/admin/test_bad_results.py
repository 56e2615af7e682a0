"""What people say looks wrong, as staff see it."""

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from swaps.lifecycle.bad_results import report_bad_result
from swaps.models import BadResult, Swap, User
from swaps.models.bad_result import Reason
from tests.swap_rows import finished_swap

LIST = "/admin/swaps/badresult/"


def reported(owner: User, reason: Reason) -> Swap:
    swap = finished_swap(owner)
    assert report_bad_result(swap, reason, timezone.now())
    return swap


def test_reports_are_listed_newest_first_with_a_way_to_the_swap(
    as_staff: Client, alice: User, charlie: User
) -> None:
    older, newer = reported(alice, Reason.BLURRED), reported(charlie, Reason.WRONG_FACE)
    page = as_staff.get(LIST).text
    places = [page.index(reverse("admin:swaps_swap_change", args=[s.pk])) for s in (newer, older)]
    assert places == sorted(places)
    for text in ("It is blurred", "The wrong face was changed", alice.email, charlie.email):
        assert text in page
    found = as_staff.get(LIST, {"q": str(older.pk)}).text
    assert charlie.email not in found


def test_nobody_adds_changes_or_deletes_a_report(as_staff: Client, alice: User) -> None:
    reported(alice, Reason.OTHER)
    report = BadResult.objects.get()
    change = reverse("admin:swaps_badresult_change", args=[report.pk])
    assert as_staff.get(change).status_code == 200
    assert as_staff.post(change, {"reason": "blurred"}).status_code == 403
    assert as_staff.get(f"{LIST}add/").status_code == 403
    assert as_staff.post(f"{LIST}{report.pk}/delete/", {"post": "yes"}).status_code == 403
    report.refresh_from_db()
    assert report.reason == Reason.OTHER


def test_many_reports_take_as_few_queries_as_one(
    as_staff: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        reported(alice, Reason.OTHER)
    with django_assert_max_num_queries(8):
        as_staff.get(LIST)


def test_an_account_with_reports_can_be_deleted(as_staff: Client, alice: User) -> None:
    reported(alice, Reason.OTHER)
    url = reverse("admin:swaps_user_delete", args=[alice.pk])
    assert as_staff.post(url, {"post": "yes"}).status_code == 302
    assert not BadResult.objects.exists()
