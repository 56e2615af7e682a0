"""The mail backend of the site: stores each message in a row and enqueues a task that sends it.

No request waits for a mail server, and no mail is lost while it is away. The courier hands the
message to the SMTP server, and tries again with growing pauses for a day. A message that was cut
off may be sent twice, with the same Message-ID.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from email.utils import make_msgid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import sanitize_address
from django.db import transaction
from django.utils import timezone

from swaps import queue
from swaps.models.mail import LEASE, Mail
from swaps.net.names import ascii_host

MAX_WAITING = 10_000

log = logging.getLogger(__name__)


class OutboxBackend(BaseEmailBackend):
    """The backend to which Django and its applications hand their mail."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        return sum(_store(message) for message in email_messages if message.recipients())


def _store(message: EmailMessage) -> bool:
    """Store one message and enqueue its task; return False when too many are waiting."""
    if Mail.objects.count() >= MAX_WAITING:
        log.error("mail dropped: %d messages wait for the mail server already", MAX_WAITING)
        return False
    for field in ("to", "cc", "bcc"):
        setattr(message, field, [_to_ascii(address) for address in getattr(message, field)])
    # Django would use this machine's name, and ask DNS for it.
    message_id = make_msgid(domain=urlsplit(settings.SITE_URL).hostname)
    message.extra_headers.setdefault("Message-ID", message_id)
    encoding = message.encoding or settings.DEFAULT_CHARSET
    rendered: Any = message.message()  # its own as_bytes takes the line ends of SMTP
    with transaction.atomic():
        mail = Mail.objects.create(
            sender=sanitize_address(message.from_email, encoding),
            recipients=[sanitize_address(to, encoding) for to in message.recipients()],
            message=rendered.as_bytes(linesep="\r\n"),
            enqueue_again_at=timezone.now() + LEASE,
        )
        queue.enqueue("send_mail", mail.pk)
    return True


def _to_ascii(address: str) -> str:
    """Return an address with its domain in IDNA. Django writes “ss” for “ß”: another domain."""
    name, at, domain = address.rpartition("@")
    with suppress(ValueError):
        return f"{name}{at}{ascii_host(domain)}"
    return address
