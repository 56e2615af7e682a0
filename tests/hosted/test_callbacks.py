"""What the callback view answers: the URL is the secret, the task must be the right one."""

import json
import logging
import uuid
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from swaps import links, tasks
from swaps.lifecycle.remove import remove_swap
from swaps.models import ProviderCallback, Status, Submission, Swap, User, Verdict
from swaps.models.submission_queryset import Stage
from tests.hosted.steps import (
    call_back,
    post,
    request_hosted_swap,
    send_swap,
    submission_of,
    using_provider,
)

pytestmark = pytest.mark.django_db
RIGHT = {"success": True, "image_url": "https://results.example.org/1.jpg?signature=abc"}


def verdicts() -> list[str]:
    return list(ProviderCallback.objects.order_by("id").values_list("verdict", flat=True))


def test_the_right_token_with_the_right_task_is_accepted_and_due_to_be_collected(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
    submission = submission_of(swap)
    assert (submission.stage, submission.task_id) == (Stage.ANSWERED, provider.task.id)
    assert submission.image_url.endswith(f"/results/{provider.task.id}.jpg")
    assert submission.due_at
    assert submission.due_at <= timezone.now()


def test_a_repeat_is_204_and_changes_nothing(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider) == 202
        before = submission_of(swap)
        assert call_back(provider, image_url="https://elsewhere.example.org/other.jpg") == 204
        assert submission_of(swap).image_url == before.image_url
        tasks.collect_result.call(str(swap.pk))
        assert call_back(provider) == 204
    assert sorted(verdicts()) == [Verdict.ACCEPTED, Verdict.REPEATED, Verdict.REPEATED]
    swap.refresh_from_db()
    assert swap.is_succeeded


def test_a_callback_before_the_answer_was_stored_is_accepted(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings):
        swap = request_hosted_swap(alice)
        submission = submission_of(swap)
        submission.mark_sent(timezone.now(), {}, timezone.now())
        assert post(links.callback_url(swap.pk), {**RIGHT, "task_id": "task-1"}) == 202
        submission.refresh_from_db()
        assert submission.due_at
        assert submission.due_at > timezone.now()  # it waits for the answer that names the task
        assert submission.accept("task-1", timezone.now(), timezone.now())
    submission.refresh_from_db()
    assert submission.stage == Stage.ANSWERED
    assert submission.due_at <= timezone.now()


def test_a_callback_before_the_answer_which_turns_out_to_be_another_tasks_is_forgotten(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings):
        swap = request_hosted_swap(alice)
        submission = submission_of(swap)
        submission.mark_sent(timezone.now(), {}, timezone.now())
        url = links.callback_url(swap.pk)
        assert post(url, {**RIGHT, "task_id": "of-somebody-else"}) == 202
        assert not submission.accept("task-1", timezone.now(), timezone.now())
        assert (submission.stage, submission.image_url) == (Stage.SENT, "")
        assert verdicts() == [Verdict.OTHER_TASK]  # staff can read what was posted
        assert post(url, {**RIGHT, "task_id": "of-somebody-else"}) == 409
        assert post(url, {**RIGHT, "task_id": "task-1"}) == 202


def test_another_task_is_409_and_the_swap_goes_on_waiting(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider, task_id=str(uuid.uuid4())) == 409
        assert submission_of(swap).stage == Stage.SENT
        assert call_back(provider) == 202
    assert verdicts() == [Verdict.OTHER_TASK]  # the accepted one is filed when it is collected


def test_a_task_that_is_known_as_another_swaps_is_409_even_before_the_answer(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        send_swap(alice)
        other = request_hosted_swap(alice)
        submission_of(other).mark_sent(timezone.now(), {}, timezone.now())
        outcome = provider.outcome(provider.task)
        assert post(links.callback_url(other.pk), outcome) == 409
        assert submission_of(other).stage == Stage.SENT


def _tokens(swap: Swap) -> dict[str, str]:
    right = urlsplit(links.callback_url(swap.pk)).path.split("/")[2]
    return {
        "forged": right[:-1] + ("A" if right[-1] != "A" else "B"),
        "of another salt": signing.dumps(swap.pk.hex, salt="swaps.file"),
        "of an inspector": signing.Signer(salt="swaps.inspector").sign(str(swap.owner_id)),
        "of something else": signing.dumps([1, 2], salt=links.CALLBACK_SALT),
        "of no swap at all": signing.dumps("not an id", salt=links.CALLBACK_SALT),
        "empty": ".",
    }


@pytest.mark.parametrize(
    "kind",
    [
        "forged",
        "of another salt",
        "of an inspector",
        "of something else",
        "of no swap at all",
        "empty",
    ],
)
def test_a_token_that_is_not_right_is_404(alice: User, settings: Settings, kind: str) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        token = _tokens(swap)[kind]
        assert post(f"/callbacks/{token}/", provider.outcome(provider.task)) == 404
        assert submission_of(swap).stage == Stage.SENT
    assert verdicts() == []


def _token_of(swap: Swap, days_ago: int) -> str:
    value = signing.dumps(swap.pk.hex, salt=links.CALLBACK_SALT).rsplit(":", 2)[0]
    moment = int(timezone.now().timestamp()) - days_ago * 24 * 3600
    dated = f"{value}:{signing.b62_encode(moment)}"
    return f"{dated}:{signing.TimestampSigner(salt=links.CALLBACK_SALT).signature(dated)}"


def test_an_expired_token_is_404(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        outcome = provider.outcome(provider.task)
        assert post(f"/callbacks/{_token_of(swap, 8)}/", outcome) == 404
        assert post(f"/callbacks/{_token_of(swap, 6)}/", outcome) == 202


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"null",
        b'"task"',
        b"\xff\xfe\x00",
        b'{"success": true}',
        b'{"success": true, "task_id": "task-1"}',
        b'{"success": true, "image_url": "https://results.example.org/1.jpg"}',
        b'{"task_id": 7, "image_url": "https://results.example.org/1.jpg"}',
        b'{"task_id": "t", "image_url": "file:///etc/passwd"}',
        b"[" * 60_000,
    ],
)
def test_what_cannot_be_understood_is_400_and_the_swap_goes_on_waiting(
    alice: User, settings: Settings, body: bytes
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert post(links.callback_url(swap.pk), body) == 400
        assert submission_of(swap).stage == Stage.SENT
        assert call_back(provider) == 202
    assert verdicts() == [Verdict.NOT_UNDERSTOOD]


def test_more_than_64_kb_is_413_and_the_swap_goes_on_waiting(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        outcome = provider.outcome(provider.task)
        assert post(links.callback_url(swap.pk), outcome | {"more": "x" * 64_000}) == 413
        assert submission_of(swap).stage == Stage.SENT
        assert call_back(provider, more="x" * 60_000) == 202


def test_after_deletion_it_is_410_and_nothing_of_it_is_kept(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        assert call_back(provider, task_id="another") == 409
        remove_swap(swap)
        assert call_back(provider) == 410
        assert post(links.callback_url(swap.pk), b"not json") == 410
    assert verdicts() == []
    alice.delete()
    assert call_back(provider) == 410


def test_after_we_gave_up_it_is_204_and_the_swap_stays_as_it_is(
    alice: User, settings: Settings
) -> None:
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        swap.fail(code="timeout", params={"code": "timeout.provider"}, image="")
        Submission.objects.end(swap)
        assert call_back(provider) == 204
    swap.refresh_from_db()
    assert swap.status == Status.FAILED
    assert verdicts() == [Verdict.LATE]


def test_only_a_post_is_taken(alice: User, settings: Settings) -> None:
    with using_provider(settings):
        swap = send_swap(alice)
    path = urlsplit(links.callback_url(swap.pk)).path
    assert Client().get(path).status_code == 405


def test_a_form_of_another_site_needs_no_csrf_token(alice: User, settings: Settings) -> None:
    with using_provider(settings) as provider:
        send_swap(alice)
        path = urlsplit(provider.task.request["callback_url"]).path
        assert provider.task.is_done.wait(60)
        answer = Client(enforce_csrf_checks=True).post(
            path, data=provider.outcome(provider.task), content_type="application/json"
        )
    assert answer.status_code == 202


def test_an_accepted_callback_costs_one_statement(
    alice: User, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with using_provider(settings) as provider:
        send_swap(alice)
        assert provider.task.is_done.wait(60)
        with django_assert_num_queries(1):
            assert call_back(provider) == 202


def test_neither_the_token_nor_the_signature_of_the_picture_is_in_log_or_kept_body(
    alice: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    from swaps.redaction import HideSecrets

    caplog.set_level(logging.DEBUG)
    caplog.handler.addFilter(HideSecrets())
    with using_provider(settings) as provider:
        swap = send_swap(alice)
        token = urlsplit(provider.task.request["callback_url"]).path.split("/")[2]
        secret = f"{provider.url}/results/{provider.task.id}.jpg?signature=very-secret"
        assert call_back(provider, image_url=secret, seen=provider.key, at=token) == 202
        assert post(f"/callbacks/{token}x/", b"") == 404
        tasks.collect_result.call(str(swap.pk))
    body = ProviderCallback.objects.get().body
    assert json.loads(body)["success"] is True
    for payload in (caplog.text, body):
        assert token not in payload
        assert "very-secret" not in payload
        assert provider.key not in payload


def test_whoever_has_the_url_fills_no_disk(alice: User, settings: Settings) -> None:
    with using_provider(settings):
        swap = send_swap(alice)
        for _ in range(30):
            assert post(links.callback_url(swap.pk), b"not json") == 400
    assert ProviderCallback.objects.count() == 20
