"""Consent: that people may use their pictures, remembered for a session once it is given."""

import datetime

from django.http import HttpRequest

FIELD = "consented_at"


def given_at(request: HttpRequest) -> datetime.datetime | None:
    """Return when the user confirmed it in this session; None if they have not."""
    text = request.session.get(FIELD)
    return datetime.datetime.fromisoformat(text) if text else None


def remember(request: HttpRequest, now: datetime.datetime) -> datetime.datetime:
    """Remember that the user has confirmed it; return when they first did."""
    if FIELD not in request.session:
        request.session[FIELD] = now.isoformat()
    return datetime.datetime.fromisoformat(request.session[FIELD])
