"""The hosted provider in the admin: its figures, what was sent to it, what it posted."""

import datetime
import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from swaps import errors
from swaps.admin.hosted import indent_json
from swaps.hosted import status
from swaps.hosted.status import DAY, HOUR, MAX_COUNTED, Breaker, figures, percentile
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.settle import settle
from swaps.models import HostedProvider, ProviderCallback, Stage, Submission, Swap, User, Verdict
from swaps.models.hosted_provider import FAILURES_TO_OPEN
from tests.cast import signed_in
from tests.swap_rows import finished, finished_swap, queued_swap

pytestmark = pytest.mark.django_db
STATUS = "/admin/swaps/hostedprovider/"
SUBMISSIONS = "/admin/swaps/submission/"
CALLBACKS = "/admin/swaps/providercallback/"
SWAPS = "/admin/swaps/swap/"
SECRET = "signed-so-that-its-bearer-sees-the-picture"


@pytest.fixture(autouse=True)
def hosted(settings: Settings) -> None:
    settings.FACESWAP_PROVIDER = "hosted"
    settings.FACESWAP_HOSTED_URL = "https://api.faces.example"
    settings.FACESWAP_HOSTED_KEY = "no-key-of-anybody"
    settings.FACESWAP_HOSTED_IN_FLIGHT = 7


def sent_swap(owner: User, task_id: str = "task-1", **fields: Any) -> Swap:
    """With the provider, that has named its task."""
    swap = queued_swap(owner)
    assert swap.mark_sent()
    now = timezone.now()
    request = {"source_image_url": f"https://here.example/{SECRET}"}
    known = {"task_id": task_id, "sent_at": now, "accepted_at": now, "sends": 1}
    known |= {"due_at": now + HOUR, "request": request, "stage": Stage.SENT}
    Submission.objects.filter(pk=swap.pk).update(**{**known, **fields})
    return swap


def ended_swap(
    owner: User,
    *,
    error: errors.SwapError | None = None,
    ago: float = 60,
    report_after: float = 1.0,
    end_after: float = 2.0,
) -> Swap:
    """Requested so many seconds ago, sent at once."""
    swap = sent_swap(owner)
    settle(swap, error or finished())
    begun = timezone.now() - datetime.timedelta(seconds=ago)
    Swap.objects.filter(pk=swap.pk).update(created_at=begun)
    Submission.objects.filter(pk=swap.pk).update(
        created_at=begun,
        sent_at=begun,
        answered_at=begun + datetime.timedelta(seconds=report_after),
        ended_at=begun + datetime.timedelta(seconds=end_after),
    )
    return swap


def callback(swap: Swap, body: str = '{"task_id": "task-1"}', **fields: Any) -> ProviderCallback:
    fields = {"verdict": Verdict.ACCEPTED, **fields}
    return ProviderCallback.objects.create(swap=swap, body=body, **fields)


def bring_down(at: datetime.datetime) -> None:
    for _ in range(FAILURES_TO_OPEN):
        HostedProvider.objects.record_failure(
            at, {"code": "row.text", "text": "The connection was <refused>."}
        )


def read(client: Client, url: str, **query: Any) -> str:
    answer = client.get(url, query)
    assert answer.status_code == 200, url
    return answer.content.decode()


def act(client: Client, url: str, action: str, *pks: object) -> str:
    data = {"action": action, "_selected_action": [str(pk) for pk in pks]}
    return client.post(url, data, follow=True).content.decode()


def limited(staff: User, *permissions: str) -> Client:
    User.objects.filter(pk=staff.pk).update(is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return signed_in(staff)


def figures_of(since: datetime.timedelta = DAY) -> status.Figures:
    return figures(status.newest_rows(timezone.now() - since)[0])


# --- figures ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], (None, None, None)),
        ([3], (3, 3, 3)),
        ([1, 2], (1, 2, 2)),
        (list(range(1, 11)), (5, 9, 10)),
        (list(range(1, 101)), (50, 90, 99)),
        (list(range(1, 1001)), (500, 900, 990)),
    ],
)
def test_percentiles_are_of_the_nearest_rank(
    values: list[float], expected: tuple[float | None, ...]
) -> None:
    assert tuple(percentile(values, percent) for percent in (50, 90, 99)) == expected


def test_the_figures_are_right(alice: User) -> None:
    for number in range(1, 9):
        ended_swap(alice, report_after=number, end_after=10 * number)
    for _ in range(2):
        ended_swap(alice, error=errors.NoFace("source", image="source"))
    ended_swap(alice, error=errors.Timeout("provider"))
    sent = sent_swap(alice)
    Submission.objects.filter(pk=sent.pk).update(refusals=3)
    remove_swap(queued_swap(alice))

    found = figures_of()

    assert (found.requested, found.succeeded, found.failed) == (13, 8, 3)
    assert found.failures == {"no_face": 2, "timeout": 1}
    assert (found.deleted, found.still_open, found.refusals) == (1, 1, 3)
    assert found.error_rate
    assert round(found.error_rate, 1) == 27.3
    # eight of 1 to 8 seconds, and three of one second; eight of 10 to 80, and three of two seconds
    assert found.to_report == status.Percentiles(p50=3, p90=7, p99=8)
    assert found.to_end == status.Percentiles(p50=30, p90=70, p99=80)


def test_a_deleted_swap_still_counts_as_what_it_was(alice: User) -> None:
    remove_swap(ended_swap(alice))
    remove_swap(ended_swap(alice, error=errors.NoFace("either")))
    remove_swap(sent_swap(alice))
    found = figures_of()
    assert (found.succeeded, found.failures, found.deleted) == (1, {"no_face": 1}, 1)


def test_the_last_hour_is_told_from_the_last_day(alice: User) -> None:
    ended_swap(alice, ago=120)
    ended_swap(alice, ago=2 * 3600)
    ended_swap(alice, ago=25 * 3600)
    assert (figures_of(HOUR).requested, figures_of(DAY).requested) == (1, 2)


def test_nothing_requested_has_no_rate_and_no_times() -> None:
    found = figures([])
    assert (found.requested, found.error_rate, found.to_end.p50) == (0, None, None)


def test_more_than_can_be_counted_are_said_to_be_so(as_staff: Client, alice: User) -> None:
    swaps = Swap.objects.bulk_create(
        Swap(owner=alice, provider="hosted", status="succeeded", result_key="r.jpg")
        for _ in range(MAX_COUNTED)
    )
    Submission.objects.bulk_create(Submission(swap=swap, stage=Stage.ENDED) for swap in swaps)
    assert "Only the newest" not in read(as_staff, STATUS)
    sent_swap(alice)
    rows, is_capped = status.newest_rows(timezone.now() - DAY)
    assert (len(rows), is_capped) == (MAX_COUNTED, True)
    assert f"Only the newest {MAX_COUNTED}" in read(as_staff, STATUS)


def test_what_is_open_is_counted_by_what_it_waits_for(alice: User) -> None:
    sent_swap(alice)
    sent_swap(alice, stage=Stage.ANSWERED)
    queued_swap(alice)
    parked = [queued_swap(alice) for _ in range(2)]
    for swap in parked:
        swap.requeue_unsent(is_parked=True)
    ended_swap(alice)
    now = status.current_status(timezone.now())
    assert (now.in_flight, now.answered, now.waiting, now.parked) == (1, 1, 1, 2)
    assert now.oldest_at
    assert now.oldest_at < parked[1].submission.created_at


# --- the breaker --------------------------------------------------------------------------


def breaker(at: datetime.datetime) -> Breaker:
    return status.current_status(at).breaker


def test_the_breaker_is_told_as_it_is(alice: User) -> None:
    now = timezone.now()
    later = now + datetime.timedelta(minutes=5)
    sent_swap(alice)
    assert breaker(now) == Breaker.CLOSED
    bring_down(later)
    assert breaker(later) == Breaker.OPEN
    back = later + datetime.timedelta(minutes=1)
    assert breaker(back) == Breaker.DUE
    HostedProvider.objects.current().begin_trial(back)
    trial = sent_swap(alice, sent_at=back)
    assert breaker(back) == Breaker.TRIAL
    HostedProvider.objects.record_failure(
        back + datetime.timedelta(seconds=1), {"code": "provider.refused"}
    )
    assert breaker(back) == Breaker.OPEN
    remove_swap(trial)
    HostedProvider.objects.record_success(back)
    assert breaker(back) == Breaker.CLOSED


# --- the page -----------------------------------------------------------------------------


def test_a_site_that_never_used_a_provider_is_told_so(as_staff: Client, settings: Settings) -> None:
    settings.FACESWAP_PROVIDER = "embedded"
    page = read(as_staff, STATUS)
    assert "This site’s own engine performs all swaps now." in page
    assert "No swap was ever given to one." in page
    assert "<caption>Now" not in page
    assert not HostedProvider.objects.exists()  # to look is not to change


def test_a_site_that_begins_with_a_provider_sees_that_nothing_was_sent(as_staff: Client) -> None:
    page = read(as_staff, STATUS)
    assert "performed by api.faces.example" in page
    assert "performed by this site’s own engine" in page  # those of the API
    assert "a key is set" in page
    assert "0 of 7" in page
    assert "none yet" in page


def test_what_a_provider_once_did_is_shown_after_it_was_left(
    as_staff: Client, alice: User, settings: Settings
) -> None:
    ended_swap(alice)
    sent_swap(alice)
    settings.FACESWAP_PROVIDER = "embedded"
    page = read(as_staff, STATUS)
    assert "own engine performs all swaps now" in page
    assert "but for what was requested before" in page
    assert "last day" in page


def test_the_page_says_how_the_provider_does(as_staff: Client, alice: User) -> None:
    ended_swap(alice, report_after=1.25)
    ended_swap(alice, error=errors.NoFace("either"))
    sent_swap(alice)
    queued_swap(alice).requeue_unsent(is_parked=True)
    bring_down(timezone.now())
    page = " ".join(read(as_staff, STATUS).split())
    for message in (
        "1 of 7",
        '<th scope="row">Parked</th><td>1</td>',
        '<b class="bad">Open</b> until',
        "The connection was &lt;refused&gt;.",
        '<th scope="row">no_face</th><td>1</td><td>1</td>',
        "<td>50.0 %</td><td>50.0 %</td>",
        "1.2 s",
    ):
        assert message in page, message
    assert '<b class="good">Closed</b>' not in page


def test_fewer_calls_that_were_asked_for_are_said(as_staff: Client) -> None:
    HostedProvider.objects.pause_until(timezone.now() + HOUR)
    assert "the provider asked for fewer calls" in read(as_staff, STATUS)


def test_no_key_is_said_and_none_is_shown(as_staff: Client, settings: Settings) -> None:
    assert "no-key-of-anybody" not in read(as_staff, STATUS)
    settings.FACESWAP_HOSTED_KEY = ""
    assert "not set" in read(as_staff, STATUS)


def test_the_page_asks_as_much_for_many_rows_as_for_one(
    as_staff: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(6):
        ended_swap(alice)
        sent_swap(alice)
    bring_down(timezone.now())
    with django_assert_max_num_queries(6):
        read(as_staff, STATUS)


def test_the_row_has_no_page_to_be_edited_on(as_staff: Client) -> None:
    HostedProvider.objects.current()
    for url in (f"{STATUS}1/change/", f"{STATUS}add/", f"{STATUS}1/delete/"):
        assert as_staff.get(url).status_code == 404


def test_the_index_and_its_application_list_the_pages(as_staff: Client) -> None:
    for url in ("/admin/", "/admin/swaps/"):
        page = read(as_staff, url)
        for link in (STATUS, SUBMISSIONS, CALLBACKS):
            assert f'href="{link}"' in page


# --- submissions --------------------------------------------------------------------------


def test_submissions_are_found_and_shown_without_what_lets_its_bearer_in(
    as_staff: Client, alice: User
) -> None:
    swap = sent_swap(
        alice,
        "task-of-theirs",
        image_url=f"https://there.example/{SECRET}",
        callback=f'{{"image_url": "https://there.example/?{SECRET}"}}',
        error_message=f"GET https://here.example/a.jpg?signature={SECRET}",
        problem="503: <busy>",
    )
    callback(swap)
    change = reverse("admin:swaps_submission_change", args=[swap.pk])
    for query in ("", str(swap.pk), swap.pk.hex, "task-of-theirs"):
        assert change in read(as_staff, SUBMISSIONS, q=query)
    for query in ("nobody", str(swap.pk)[:8], "task-of"):
        assert change not in read(as_staff, SUBMISSIONS, q=query)
    assert change not in read(as_staff, SUBMISSIONS, stage__exact="ended")
    page = read(as_staff, change)
    for message in ("task-of-theirs", "503: &lt;busy&gt;", "here.example/a.jpg", "1 callback<"):
        assert message in page
    assert reverse("admin:swaps_swap_change", args=[swap.pk]) in page
    assert f"{CALLBACKS}?q={swap.pk}" in page
    for url in (SUBMISSIONS, change):
        assert SECRET not in read(as_staff, url)
    assert as_staff.post(change, {"stage": "ended"}).status_code == 403


def test_staff_ask_again_and_learn_which_could_not_be_hurried(
    as_staff: Client, alice: User
) -> None:
    known, unknown, ended = sent_swap(alice), sent_swap(alice, task_id=""), ended_swap(alice)

    page = act(as_staff, SUBMISSIONS, "ask_again", known.pk, unknown.pk, ended.pk)

    assert "1: Asked again." in page
    assert "2: not asked again" in page
    due = Submission.objects.due(timezone.now())
    assert [each.pk for each in due] == [known.pk]
    log = read(as_staff, reverse("admin:swaps_submission_history", args=[known.pk]))
    assert "Asked again." in log


def test_nothing_that_can_be_hurried_is_said_without_praise(as_staff: Client, alice: User) -> None:
    page = act(as_staff, SUBMISSIONS, "ask_again", ended_swap(alice).pk)
    assert "1: not asked again" in page
    assert "Asked again." not in page


# --- callbacks ----------------------------------------------------------------------------


def test_callbacks_are_found_laid_out_and_escaped(as_staff: Client, alice: User) -> None:
    swap = ended_swap(alice)
    kept = callback(swap, json.dumps({"task_id": "task-1", "message": "<script>Größe</script>"}))
    change = reverse("admin:swaps_providercallback_change", args=[kept.pk])
    assert change in read(as_staff, CALLBACKS)
    assert change in read(as_staff, CALLBACKS, q=str(swap.pk))
    assert change not in read(as_staff, CALLBACKS, q="nobody")
    assert change not in read(as_staff, CALLBACKS, verdict__exact="late")
    page = read(as_staff, change)
    assert "&quot;task_id&quot;: &quot;task-1&quot;,\n  &quot;message&quot;" in page
    assert "&lt;script&gt;Größe&lt;/script&gt;" in page
    assert "<script>Größe" not in page
    assert "kept for 30 days" in page
    assert as_staff.post(change, {"verdict": "late"}).status_code == 403


@pytest.mark.parametrize("body", ["", "not JSON", "[" * 5000, '{"a": ' + "1" * 5000 + "}"])
def test_a_body_that_is_no_json_is_shown_as_it_came(
    as_staff: Client, alice: User, body: str
) -> None:
    kept = callback(ended_swap(alice), body, verdict=Verdict.NOT_UNDERSTOOD)
    page = read(as_staff, reverse("admin:swaps_providercallback_change", args=[kept.pk]))
    assert f'<pre class="body">{body}</pre>'.replace('"a"', "&quot;a&quot;") in page


def test_a_body_that_would_become_a_wall_is_left_as_it_is() -> None:
    deep = "[" * 300 + "]" * 300
    assert indent_json(deep) == deep
    assert indent_json("[1]") == "[\n  1\n]"


# --- swaps --------------------------------------------------------------------------------


def test_a_hosted_swap_leads_to_what_was_sent_and_posted(as_staff: Client, alice: User) -> None:
    swap = sent_swap(alice)
    callback(swap)
    callback(swap, verdict=Verdict.REPEATED)
    page = read(as_staff, reverse("admin:swaps_swap_change", args=[swap.pk]))
    assert reverse("admin:swaps_submission_change", args=[swap.pk]) in page
    assert "2 callbacks" in page


def test_a_swap_of_the_own_engine_leads_nowhere(
    as_staff: Client, alice: User, settings: Settings
) -> None:
    settings.FACESWAP_PROVIDER = "embedded"
    swap = finished_swap(alice)
    page = read(as_staff, reverse("admin:swaps_swap_change", args=[swap.pk]))
    assert "Embedded" in page
    assert "/admin/swaps/submission/" not in page.partition("at the provider")[2]


def test_parked_swaps_are_told_apart(as_staff: Client, alice: User) -> None:
    swap, other = queued_swap(alice), sent_swap(alice)
    swap.requeue_unsent(is_parked=True)
    page = read(as_staff, SWAPS, provider__exact="hosted", is_parked__exact=1)
    assert "queued, parked" in page
    assert str(swap.pk) in page
    assert str(other.pk) not in page


# --- all of them --------------------------------------------------------------------------


@pytest.mark.parametrize("url", [SUBMISSIONS, CALLBACKS, SWAPS])
def test_lists_ask_as_much_for_many_rows_as_for_one(
    as_staff: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries, url: str
) -> None:
    for _ in range(12):
        callback(sent_swap(alice))
    with django_assert_max_num_queries(8):
        read(as_staff, url)


@pytest.mark.parametrize("query", ["x", "%00", "'", "4b13bdeb", "🙂", "{}", "task 1"])
def test_any_search_is_answered(as_staff: Client, query: str) -> None:
    for url in (SUBMISSIONS, CALLBACKS):
        assert as_staff.get(url, {"q": query}).status_code == 200


def test_nobody_but_staff_comes_in(as_alice: Client, client: Client, alice: User) -> None:
    swap = sent_swap(alice)
    change = reverse("admin:swaps_submission_change", args=[swap.pk])
    for url in (STATUS, SUBMISSIONS, change, CALLBACKS):
        for visitor in (as_alice, client):
            answer = visitor.get(url)
            assert answer.status_code == 302
            assert "login" in answer.headers["Location"]


def test_staff_see_and_do_what_they_were_given_and_no_more(alice: User, charlie: User) -> None:
    swap = sent_swap(alice)
    for url in (STATUS, SUBMISSIONS, CALLBACKS):
        assert limited(charlie).get(url).status_code == 403
    viewer = limited(charlie, "view_hostedprovider", "view_submission", "view_providercallback")
    for url in (STATUS, SUBMISSIONS, CALLBACKS):
        assert viewer.get(url).status_code == 200
    act(viewer, SUBMISSIONS, "ask_again", swap.pk)
    assert Submission.objects.filter(due_at__gt=timezone.now() + HOUR / 2).exists()
    act(limited(charlie, "change_submission"), SUBMISSIONS, "ask_again", swap.pk)
    assert not Submission.objects.filter(due_at__gt=timezone.now() + HOUR / 2).exists()


def test_staff_delete_an_account_with_all_that_a_provider_made_for_it(
    as_staff: Client, alice: User
) -> None:
    callback(ended_swap(alice))
    url = reverse("admin:swaps_user_delete", args=[alice.pk])
    assert as_staff.post(url, {"post": "yes"}).status_code == 302
    for model in (Swap, Submission, ProviderCallback):
        assert not model._default_manager.exists()
