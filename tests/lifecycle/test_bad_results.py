"""Which results that look wrong are given back."""

import datetime
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from swaps import errors
from swaps.lifecycle.bad_results import report_bad_result
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import ApiAccess, BadResult, Door, Quota, Swap, User
from swaps.models.bad_result import Reason
from tests.swap_rows import finished_swap, queued_swap

BLURRED = Reason.BLURRED


def now() -> datetime.datetime:
    return timezone.now()


def is_given_back(swap: Swap) -> bool:
    report = report_bad_result(swap, BLURRED, now())
    assert report
    return report.is_refunded


def figures(owner: User) -> tuple[int, int]:
    quota = Quota.objects.get(user=owner)
    return quota.remaining, quota.spent


def test_a_swap_is_given_back_once(alice: User) -> None:
    swap = finished_swap(alice)
    before = Quota.objects.remaining_of(alice)
    reports = [report_bad_result(swap, reason, now()) for reason in (BLURRED, Reason.OTHER)]
    assert [report and (report.reason, report.is_refunded) for report in reports] == [
        ("blurred", True)
    ] * 2
    assert figures(alice) == (before + 1, 0)


def test_only_so_many_are_given_back_in_a_month(alice: User, settings: Settings) -> None:
    settings.FACESWAP_BAD_RESULT_REFUNDS = 2
    swaps = [finished_swap(alice) for _ in range(4)]
    assert [is_given_back(swap) for swap in swaps[:3]] == [True, True, False]

    BadResult.objects.update(created_at=now() - datetime.timedelta(days=32))

    assert is_given_back(swaps[3])


def test_browser_and_api_are_counted_on_their_own(alice: User, settings: Settings) -> None:
    settings.FACESWAP_BAD_RESULT_REFUNDS = 1
    ApiAccess.objects.get_or_grant(alice)
    ApiAccess.objects.spend(alice)
    by_api, by_browser = finished_swap(alice), finished_swap(alice)
    Swap.objects.filter(pk=by_api.pk).update(door=Door.API)
    for swap in (by_api, by_browser):
        swap.refresh_from_db()
        assert is_given_back(swap)
    assert ApiAccess.objects.get(user=alice).spent == 0


def test_with_a_limit_of_none_the_reason_is_kept_all_the_same(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_BAD_RESULT_REFUNDS = 0
    report = report_bad_result(finished_swap(alice), Reason.WRONG_FACE, now())
    assert report
    assert (report.reason, report.is_refunded, figures(alice)[1]) == ("wrong_face", False, 1)


def test_what_has_no_result_is_not_given_back_again(alice: User) -> None:
    waiting, failed, removed = queued_swap(alice), queued_swap(alice), finished_swap(alice)
    settle(failed, errors.ApiError("broke"))
    remove_swap(removed)
    before = figures(alice)
    assert [report_bad_result(swap, BLURRED, now()) for swap in (waiting, failed, removed)] == [
        None
    ] * 3
    assert figures(alice) == before
    assert not BadResult.objects.exists()


def test_what_was_never_counted_is_not_given_back(alice: User) -> None:
    tried_as_guest, without_spending = finished_swap(alice), finished_swap(alice)
    Swap.objects.filter(pk=tried_as_guest.pk).update(guest_counts=[1])
    tried_as_guest.refresh_from_db()
    assert not is_given_back(tried_as_guest)
    Quota.objects.filter(user=alice).update(spent=0)
    assert not is_given_back(without_spending)
    assert figures(alice)[1] == 0


@pytest.mark.django_db(transaction=True)
def test_racing_reports_give_back_no_more_than_the_month_allows(
    alice: User, settings: Settings
) -> None:
    settings.FACESWAP_BAD_RESULT_REFUNDS = 3
    swaps = [finished_swap(alice) for _ in range(6)]
    all_at_once = threading.Barrier(12)

    def report(pk: uuid.UUID) -> None:
        try:
            swap = Swap.objects.get(pk=pk)
            all_at_once.wait(60)
            report_bad_result(swap, BLURRED, now())
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(report, [swap.pk for swap in swaps for _ in range(2)]))

    assert Counter(BadResult.objects.values_list("is_refunded", flat=True)) == {True: 3, False: 3}
    assert figures(alice)[1] == 3
