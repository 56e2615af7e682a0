"""Several swaps are deleted at once, after one question that says what goes."""

import re
import time
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from swaps import storage
from swaps.clock.retention import sweep_stray
from swaps.models import AccountStorage, Quota, Status, StrayFiles, Submission, Swap, User
from swaps.views.archives import MAX_SELECTED
from tests.swap_rows import finished_swap, queued_swap

pytestmark = pytest.mark.django_db

SELECTED = "/swaps/selected/"


def post(client: Client, *swaps: Swap, **fields: str) -> Any:
    ids = [str(swap.pk) for swap in swaps]
    return client.post(SELECTED, {"action": "delete", "ids": ids, **fields}, follow=True)


def text(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def is_stored(key: str) -> bool:
    try:
        storage.read(key)
    except FileNotFoundError:
        return False
    return True


def sent_swap(owner: User, settings: Settings) -> Swap:
    """Return one that is with a hosted provider, which counts it."""
    settings.FACESWAP_PROVIDER = "hosted"
    swap = queued_swap(owner)
    assert swap.mark_sent()
    Submission.objects.filter(pk=swap.pk).update(sends=1)
    return swap


def test_the_question_says_what_goes_and_changes_nothing(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    swaps = [finished_swap(alice), queued_swap(alice), sent_swap(alice, settings)]
    page = post(as_alice, *swaps)
    said = text(page)
    assert "Delete 3 swaps?" in said
    assert "This cannot be undone." in said
    assert "1 is not finished yet. It is given back to you." in said
    assert "1 was sent to be made already, and counts although it is not finished." in said
    assert Swap.objects.visible_to(alice).count() == 3
    by_link = as_alice.get(SELECTED, {"action": "delete", "ids": [str(s.pk) for s in swaps]})
    assert text(by_link) == said


def test_the_question_about_finished_swaps_speaks_of_nothing_else(
    as_alice: Client, alice: User
) -> None:
    said = text(post(as_alice, finished_swap(alice)))
    assert "Delete 1 swap?" in said
    assert "given back" not in said
    assert "counts" not in said


def test_confirmed_they_are_gone_at_once_and_their_files_at_the_clocks_next_tick(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    kept = finished_swap(alice)
    done, waiting, sent = finished_swap(alice), queued_swap(alice), sent_swap(alice, settings)
    left = Quota.objects.remaining_of(alice)
    keys = [key for swap in (done, waiting, sent) for key in (swap.source_key, swap.target_key)]
    keys.append(done.result_key)
    said = text(post(as_alice, done, waiting, sent, confirmed="1"))
    assert "3 swaps deleted, with all pictures." in said
    assert list(Swap.objects.visible_to(alice)) == [kept]
    assert Quota.objects.remaining_of(alice) == left + 1  # the one that waited
    kept.refresh_from_db()
    assert AccountStorage.objects.get(user=alice).size == kept.stored_bytes
    assert all(map(is_stored, keys))
    sweep_stray(timezone.now())
    assert not any(map(is_stored, keys))
    assert is_stored(kept.result_key)
    assert not StrayFiles.objects.exists()
    assert AccountStorage.objects.get(user=alice).size == kept.stored_bytes


def test_twice_is_no_error_and_gives_nothing_back_twice(as_alice: Client, alice: User) -> None:
    waiting = queued_swap(alice)
    post(as_alice, waiting, confirmed="1")
    left = Quota.objects.remaining_of(alice)
    for fields in ({"confirmed": "1"}, {}):
        answer = post(as_alice, waiting, **fields)
        assert answer.status_code == 200
        assert "They were deleted already." in text(answer)
    assert Quota.objects.remaining_of(alice) == left


def test_somebody_elses_swaps_count_like_those_that_never_were(
    as_charlie: Client, alice: User, charlie: User
) -> None:
    theirs, own = finished_swap(alice), finished_swap(charlie)
    hidden = finished_swap(charlie)
    Swap.objects.filter(pk=hidden.pk).update(is_hidden=True)
    assert "Delete 1 swap?" in text(post(as_charlie, theirs, own, hidden))
    post(as_charlie, theirs, own, hidden, confirmed="1")
    assert Swap.objects.get(pk=theirs.pk).is_succeeded
    assert Swap.objects.get(pk=hidden.pk).is_succeeded
    assert Swap.objects.get(pk=own.pk).status == Status.REMOVED
    never = {"action": "delete", "ids": [str(uuid.uuid4())]}
    assert text(as_charlie.post(SELECTED, never, follow=True)) == text(post(as_charlie, theirs))


@pytest.mark.parametrize("ids", [[], ["x"], ["\x00"], [""]])
def test_nothing_selected_is_said(as_alice: Client, alice: User, ids: list[str]) -> None:
    answer = as_alice.post(SELECTED, {"action": "delete", "ids": ids}, follow=True)
    assert "Choose some swaps first." in text(answer)


def test_an_unknown_action_does_nothing(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    post(as_alice, swap, action="explode", confirmed="1")
    assert Swap.objects.get(pk=swap.pk).is_succeeded


def test_a_link_never_deletes(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    query = {"action": "delete", "confirmed": "1", "ids": str(swap.pk)}
    assert "Delete 1 swap?" in text(as_alice.get(SELECTED, query))
    assert Swap.objects.get(pk=swap.pk).is_succeeded


def test_a_hundred_go_at_once_quickly_and_one_more_does_not(as_alice: Client, alice: User) -> None:
    ids = [
        str(swap.pk)
        for swap in Swap.objects.bulk_create(
            Swap(owner=alice, source_key=f"swaps/{n}.jpg", target_key=f"swaps/t{n}.jpg")
            for n in range(MAX_SELECTED + 1)
        )
    ]
    fields = {"action": "delete", "confirmed": "1"}
    answer = as_alice.post(SELECTED, {**fields, "ids": ids}, follow=True)
    assert f"Choose {MAX_SELECTED} swaps at most" in text(answer)
    assert Swap.objects.visible_to(alice).count() == MAX_SELECTED + 1
    begun = time.monotonic()
    assert as_alice.post(SELECTED, {**fields, "ids": ids[1:]}).status_code == 302
    assert time.monotonic() - begun < 5  # 0.2 s on an idle machine
    assert list(Swap.objects.visible_to(alice).values_list("pk", flat=True)) == [uuid.UUID(ids[0])]


def test_somebody_signed_out_is_led_to_the_sign_in(client: Client) -> None:
    answer = client.post(SELECTED, {"action": "delete"})
    assert answer.headers["Location"].startswith("/accounts/login/?next=")


def test_the_history_offers_boxes_and_what_can_be_done_with_them(
    as_alice: Client, alice: User
) -> None:
    swap = finished_swap(alice)
    page = as_alice.get(reverse("swaps:history")).content.decode()
    assert f'name="ids" value="{swap.pk}" form="selection"' in page
    form = re.search(r'<form[^>]+id="selection" method="get".*?</form>', page, re.DOTALL)
    assert form
    assert f'action="{SELECTED}"' in form[0]
    assert 'name="action" value="delete"' in form[0]
    assert f'formaction="{reverse("swaps:selected_zip")}"' in form[0]
    assert "csrfmiddlewaretoken" not in form[0]  # it would stand in an address
