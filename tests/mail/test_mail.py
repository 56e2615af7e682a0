"""Mail is a row and a task: no request waits for a mail server, and none of it is lost."""

import datetime
import time
from collections.abc import Iterator

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from swaps.clock.recovery import enqueue_mail
from swaps.mail import outbox, send
from swaps.models import Mail, User
from swaps.models.mail import GIVE_UP_AFTER, LEASE, MAX_PAUSE
from tests.mail_server import MailServer, mail_server
from tests.running import running, wait_until

SECOND = datetime.timedelta(seconds=1)
PASSWORD = "a fine long pass phrase"


@pytest.fixture
def server(settings: Settings, db: None) -> Iterator[MailServer]:
    with mail_server() as running_server:
        settings.SENDS_MAIL = True
        settings.EMAIL_BACKEND = "swaps.mail.outbox.OutboxBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running_server.port
        settings.EMAIL_USE_TLS = False
        settings.EMAIL_TIMEOUT = 0.2
        yield running_server


def write(**fields: object) -> Mail:
    message = EmailMultiAlternatives("Grüße", "a link", "us@example.com", ["ann@example.com"])
    message.bcc = ["bcc@example.com"]
    message.attach_alternative("<p>a link</p>", "text/html")
    assert message.send() == 1
    waiting = Mail.objects.latest("created_at")
    for name, value in fields.items():
        setattr(waiting, name, value)
    waiting.save()
    return waiting


def test_a_message_arrives_whole_and_nothing_is_kept_of_it(server: MailServer) -> None:
    waiting = write()

    send.attempt_mail(waiting, timezone.now())

    [message] = server.received
    assert message["Subject"] == "=?utf-8?b?R3LDvMOfZQ==?="
    assert message["Message-ID"].endswith("@127.0.0.1>")
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]
    assert server.envelopes == [["<ann@example.com>", "<bcc@example.com>"]]
    assert not Mail.objects.exists()


def test_a_domain_beyond_ascii_is_not_taken_for_another_one(server: MailServer) -> None:
    address = "ann@fußball.example"
    assert EmailMultiAlternatives("s", "b", "us@example.com", [address]).send() == 1

    send.attempt_mail(Mail.objects.get(), timezone.now())

    assert server.envelopes == [["<ann@xn--fuball-cta.example>"]]
    assert server.received[0]["To"] == "ann@xn--fuball-cta.example"


def test_a_server_that_says_nothing_keeps_no_request_waiting(
    server: MailServer, client: Client, settings: Settings
) -> None:
    server.is_silent, settings.EMAIL_TIMEOUT = True, 60
    User.objects.create_user("ann@example.com", PASSWORD)
    began = time.monotonic()

    client.post(reverse("account_reset_password"), {"email": "ann@example.com"})
    client.post(reverse("account_signup"), {"email": "new@example.com", "password1": PASSWORD})

    assert time.monotonic() - began < 30
    assert server.connections == 0
    assert DBTaskResult.objects.filter(queue_name="mail").count() == 2


def test_what_a_silent_server_did_not_take_arrives_once_it_answers(server: MailServer) -> None:
    server.is_silent = True
    waiting, now = write(), timezone.now()
    send.attempt_mail(waiting, now)
    waiting.refresh_from_db()
    assert now < waiting.next_attempt_at < now + 10 * SECOND
    server.is_silent = False

    send.attempt_mail(waiting, waiting.next_attempt_at)

    assert len(server.received) == 1
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    ("command", "reply"),
    [("RCPT", "450 not now"), ("MESSAGE", "451 not now"), ("EHLO", ""), ("MAIL", "535 who?")],
)
def test_it_is_tried_again_after_what_may_pass(
    server: MailServer, command: str, reply: str
) -> None:
    server.replies[command] = reply
    waiting = write()
    send.attempt_mail(waiting, timezone.now())
    assert Mail.objects.get().attempts == 1


@pytest.mark.parametrize(("command", "reply"), [("RCPT", "550 nobody"), ("MESSAGE", "554 no")])
def test_what_the_server_refuses_for_good_is_given_up(
    server: MailServer, command: str, reply: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.replies[command] = reply
    send.attempt_mail(write(), timezone.now())
    assert not Mail.objects.exists()
    assert reply[:3] in caplog.text
    assert "example.com" not in caplog.text


def test_a_server_that_breaks_off_after_it_has_taken_the_message_gets_it_once(
    server: MailServer,
) -> None:
    server.replies["QUIT"] = ""
    send.attempt_mail(write(), timezone.now())
    assert len(server.received) == 1
    assert not Mail.objects.exists()


def test_two_tasks_for_one_message_send_it_once(server: MailServer) -> None:
    waiting = write()
    for _ in range(2):
        send.attempt_mail(waiting, timezone.now())
    assert len(server.received) == 1


def test_pauses_grow_and_stay_short_enough_for_a_server_that_comes_back(
    server: MailServer,
) -> None:
    waiting, now = write(), timezone.now()
    pauses = []
    for attempts in range(1, 30):
        Mail.objects.update(attempts=attempts)
        waiting.attempts = attempts
        waiting.postpone(now)
        pauses.append(Mail.objects.get().next_attempt_at - now)
    assert pauses == sorted(pauses)
    assert pauses[0] == 5 * SECOND
    assert pauses[-1] == MAX_PAUSE


def test_the_clock_enqueues_what_is_due_once(server: MailServer) -> None:
    now = timezone.now()
    write(enqueue_again_at=None)
    write(enqueue_again_at=None, next_attempt_at=now + LEASE)
    DBTaskResult.objects.all().delete()

    enqueue_mail(now)
    enqueue_mail(now + SECOND)

    assert DBTaskResult.objects.filter(queue_name="mail").count() == 1


def test_after_a_day_it_is_given_up_and_its_links_are_gone(server: MailServer) -> None:
    write(created_at=timezone.now() - GIVE_UP_AFTER)
    enqueue_mail(timezone.now())
    assert not Mail.objects.exists()


def test_there_is_an_end_to_what_waits(
    server: MailServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 1)
    write()
    assert EmailMultiAlternatives("s", "b", "us@example.com", ["b@example.com"]).send() == 0
    assert "mail dropped" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_the_courier_sends_it(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"HOST": "127.0.0.1", "PORT": str(server.port), "USE_TLS": "0"}.items():
        monkeypatch.setenv(f"EMAIL_{name}", value)
    write()
    with running("manage.py", "courier"):
        assert wait_until(lambda: not Mail.objects.exists())
    assert len(server.received) == 1
