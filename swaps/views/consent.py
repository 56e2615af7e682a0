"""Consent: that people may use their pictures, remembered for a visit once it is given."""

import datetime

from django.http import HttpRequest
from django.utils import timezone

FIELD = "consented_at"
LIFE = datetime.timedelta(hours=12)  # of a visit; a session may last for weeks


def given_at(request: HttpRequest) -> datetime.datetime | None:
    """Return when the user confirmed it in this session; None if they have not."""
    text = request.session.get(FIELD)
    given = datetime.datetime.fromisoformat(text) if text else None
    return given if given and timezone.now() - given < LIFE else None


def remember(request: HttpRequest, now: datetime.datetime) -> datetime.datetime:
    """Remember that the user has confirmed it; return when they first did."""
    if given := given_at(request):
        return given
    request.session[FIELD] = now.isoformat()
    return now
