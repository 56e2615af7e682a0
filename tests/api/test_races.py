"""Callers that race with each other, in threads with connections of their own."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from swaps.models import ApiAccess, Swap
from tests.api_caller import Caller

pytestmark = pytest.mark.django_db(transaction=True)


def in_parallel(call: Callable[[int], Any], times: int, threads: int = 12) -> list[Any]:
    def run(number: int) -> Any:
        try:
            return call(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, range(times)))


def test_of_a_hundred_parallel_calls_a_quota_of_twenty_lets_twenty_through(caller: Caller) -> None:
    answers = in_parallel(lambda _: caller.swap(), 100)
    assert Counter(answer.status_code for answer in answers) == {200: 20, 403: 80}
    access = ApiAccess.objects.get_or_grant(caller.user)
    assert (access.remaining, access.spent, Swap.objects.count()) == (0, 20, 20)


@pytest.mark.parametrize("left", [20, 1])
def test_parallel_calls_with_one_idempotency_key_are_one_task(caller: Caller, left: int) -> None:
    ApiAccess.objects.filter(user=caller.user).update(remaining=left)
    answers = in_parallel(lambda _: caller.swap(idempotency_key="same"), 12)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    assert (Swap.objects.count(), ApiAccess.objects.get_or_grant(caller.user).spent) == (1, 1)
