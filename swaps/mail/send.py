"""Sends stored mail to the SMTP server: the courier's side of the outbox."""

import datetime
import logging
import smtplib
from contextlib import suppress

from django.core.mail.backends.smtp import EmailBackend as SmtpBackend
from django.utils import timezone

from swaps.models.mail import Mail

PERMANENT = 500  # SMTP replies from here on say that trying again is of no use

log = logging.getLogger(__name__)


def attempt_mail(mail: Mail, now: datetime.datetime) -> None:
    """Send a mail once, if it is due; delete it when the server takes it or refuses it for good."""
    if not mail.claim(now):
        return
    try:
        _send(mail)
    except (smtplib.SMTPException, OSError) as error:
        log.warning("mail=%s attempt=%d failed: %s", mail.pk, mail.attempts, _error_text(error))
        if _is_permanent(error):
            Mail.objects.filter(pk=mail.pk).delete()
        else:
            mail.postpone(timezone.now())
    else:
        log.info("mail=%s sent attempts=%d", mail.pk, mail.attempts)


def _send(mail: Mail) -> None:
    smtp = SmtpBackend()
    try:
        smtp.open()
        assert isinstance(smtp.connection, smtplib.SMTP)  # noqa: S101 (open() has made it)
        smtp.connection.sendmail(mail.sender, mail.recipients, bytes(mail.message))
        # The server has taken it: an error from here on must not send it again.
        Mail.objects.filter(pk=mail.pk).delete()
    finally:
        with suppress(smtplib.SMTPException, OSError):
            smtp.close()


def _is_permanent(error: Exception) -> bool:
    """Return True when the server's reply says that trying again is of no use."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= PERMANENT


def _error_text(error: Exception) -> str:
    """Return the error without the addresses that a server repeats in its reply."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = sorted({code for code, _ in error.recipients.values()})
        return f"the recipient was refused {codes}"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return f"{type(error).__name__} {error}"
