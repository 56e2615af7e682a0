"""Forms of the keys page: create a key, rotate a key."""

import datetime
from typing import Any

from django import forms
from django.utils import timezone

from swaps.models import Scope

NEVER, ON_A_DATE = "never", "date"
LIFETIMES = (
    (NEVER, "Never"),
    ("30", "In 30 days"),
    ("90", "In 90 days"),
    ("365", "In a year"),
    (ON_A_DATE, "On a date…"),
)
MAX_LIFETIME = datetime.timedelta(days=3653)
OVERLAPS = (
    ("0", "ends at once"),
    ("3600", "works for 1 more hour"),
    ("86400", "works for 1 more day"),
    ("604800", "works for 7 more days"),
)
DEFAULT_OVERLAP = "86400"
NAME_LENGTH = 60


class KeyForm(forms.Form):
    """Creates a key. After ``is_valid()`` its end is in ``expires_at``; None means never."""

    name = forms.CharField(
        max_length=NAME_LENGTH,
        error_messages={"required": "Give it a name, so that you know it again."},
    )
    scope = forms.ChoiceField(label="May be used for", choices=Scope, initial=Scope.ALL)
    expiry = forms.ChoiceField(label="Ends", choices=LIFETIMES, initial=NEVER)
    expires_on = forms.DateField(
        label="Last day",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Write the date as year-month-day, like 2030-12-31."},
    )

    def clean(self) -> dict[str, Any]:
        self.expires_at = None
        expiry = self.cleaned_data.get("expiry", NEVER)
        if expiry == ON_A_DATE:
            self.expires_at = self._end_of_day()
        elif expiry != NEVER:
            self.expires_at = timezone.now() + datetime.timedelta(days=int(expiry))
        return self.cleaned_data

    def _end_of_day(self) -> datetime.datetime | None:
        day = self.cleaned_data.get("expires_on")
        today = timezone.localdate()
        if day is None:
            if "expires_on" not in self.errors:
                self.add_error("expires_on", "Choose the last day on which the key works.")
        elif day < today:
            self.add_error("expires_on", "This day is over.")
        elif day > today + MAX_LIFETIME:
            self.add_error("expires_on", "At most ten years from now; or let it never end.")
        else:
            last_second = datetime.datetime.combine(day, datetime.time(23, 59, 59))
            return timezone.make_aware(last_second)
        return None


class RotateForm(forms.Form):
    """Rotates a key; ``overlap`` is how long the old key goes on working."""

    overlap = forms.ChoiceField(choices=OVERLAPS)

    def clean_overlap(self) -> datetime.timedelta:
        return datetime.timedelta(seconds=int(self.cleaned_data["overlap"]))
