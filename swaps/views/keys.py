"""The keys page: acquire, list, create, rotate and revoke API keys; rotate the callback secret."""

import datetime
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from swaps import links
from swaps.accounts import api_keys
from swaps.models import ApiAccess, ApiKey, Scope
from swaps.models.api_key import USE_HISTORY_DAYS
from swaps.views import form_tokens
from swaps.views.decorators import MemberRequest, members_only
from swaps.views.forms.keys import DEFAULT_OVERLAP, OVERLAPS, KeyForm, RotateForm

MAX_LISTED = 100
MAX_ENDED = 50
BAR, STEP, CHART_HEIGHT = 3, 4, 30  # units of the drawing


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The chart of a key's uses on each of the last days: an SVG path, and its figures as text."""

    path: str
    total: int
    busiest: int

    width = USE_HISTORY_DAYS * STEP - (STEP - BAR)
    height = CHART_HEIGHT


@dataclass(frozen=True, kw_only=True)
class ListedKey:
    """A key as a row of the page, with its state and its chart."""

    key: ApiKey
    state: api_keys.KeyState
    chart: Chart


@never_cache
@require_POST
def acquire(request: HttpRequest) -> HttpResponse:
    """Grant access to the API and show the first key.

    Somebody signed out comes back to the page that has the button, not to this address.
    """
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("swaps:api_docs"))
    try:
        issued = api_keys.acquire(request.user)
    except api_keys.KeyRefused as error:
        messages.error(request, str(error))
        return redirect("swaps:keys")
    if issued is None:
        messages.info(request, "You have access already. Make a new key if you have none at hand.")
        return redirect("swaps:keys")
    return _show_once(request, *issued, what="acquired")


@members_only
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: MemberRequest) -> HttpResponse:
    """List the user's keys, or create one."""
    if request.method != "POST":
        return _keys_page(request, KeyForm())
    form = KeyForm(request.POST)
    if form.is_valid():
        try:
            issued = api_keys.create_key(
                request.user,
                timezone.now(),
                name=form.cleaned_data["name"],
                scope=form.cleaned_data["scope"],
                expires_at=form.expires_at,
                form_key=form_tokens.form_key(request, KeyForm.base_fields),
            )
        except api_keys.KeyRefused as error:
            form.add_error(None, str(error))
        else:
            return _show_once(request, *issued, what="created")
    return _keys_page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@members_only
@never_cache
@require_POST
def rotate(request: MemberRequest, pk: int) -> HttpResponse:
    """Replace a key by a new one; the old one works on for the chosen overlap."""
    key = _own_key(request, pk)
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose for how long the old key goes on working.")
        return redirect("swaps:keys")
    overlap = form.cleaned_data["overlap"]
    try:
        issued = api_keys.rotate_key(key, timezone.now(), overlap)
    except api_keys.KeyRefused as error:
        messages.error(request, str(error))
        return redirect("swaps:keys")
    key.refresh_from_db()
    return _show_once(request, *issued, what="rotated", old=key, is_old_over=not overlap)


@members_only
@require_POST
def revoke(request: MemberRequest, pk: int) -> HttpResponse:
    """Revoke a key for good."""
    key = _own_key(request, pk)
    key.revoke(timezone.now())
    messages.success(request, f"“{key.name}” is revoked. Calls with it are refused from now on.")
    return redirect("swaps:keys")


@members_only
@require_POST
def rotate_secret(request: MemberRequest) -> HttpResponse:
    """Replace the secret that signs callbacks; for one day both sign."""
    last_rotated = request.POST.get("last_rotated")
    try:
        is_new = api_keys.rotate_secret(request.user, timezone.now(), last_rotated=last_rotated)
    except api_keys.KeyRefused as error:
        messages.error(request, str(error))
        return redirect("swaps:keys")
    if is_new:
        messages.success(request, "There is a new secret. For one day both sign your callbacks.")
    else:
        messages.info(request, "The secret was rotated already.")
    return redirect(f"{reverse('swaps:keys')}#callback-secret")


def draw_chart(uses: Sequence[int]) -> Chart:
    """Draw uses as bars on a base line; each day with a use is visible, however small its bar."""
    most = max(uses)
    heights = [max(2, round(CHART_HEIGHT * count / most)) if count else 0 for count in uses]
    path = "".join(
        f"M{day * STEP} {CHART_HEIGHT}v-{height}h{BAR}v{height}z"
        for day, height in enumerate(heights)
        if height
    )
    return Chart(path=path, total=sum(uses), busiest=most)


def _own_key(request: MemberRequest, pk: int) -> ApiKey:
    return get_object_or_404(ApiKey.objects.select_related("user"), pk=pk, user=request.user)


def _list_keys(keys: Iterable[ApiKey], now: datetime.datetime) -> list[ListedKey]:
    keys = list(keys)
    uses = api_keys.uses_by_day(keys, now.astimezone(datetime.UTC).date())
    return [
        ListedKey(key=key, state=api_keys.key_state(key, now), chart=draw_chart(uses[key.pk]))
        for key in keys
    ]


def _keys_page(request: MemberRequest, form: KeyForm, status: int = 200) -> HttpResponse:
    now = timezone.now()
    granted = ApiAccess.objects.filter(user=request.user).first()
    newest = ("-created_at", "-pk")
    listed = _list_keys(
        [
            *api_keys.open_keys(request.user, now).order_by(*newest)[: MAX_LISTED - MAX_ENDED],
            *api_keys.ended_keys(request.user, now).order_by(*newest)[:MAX_ENDED],
        ],
        now,
    )
    has_ended = {api_keys.KeyState.EXPIRED, api_keys.KeyState.REVOKED}
    context: dict[str, Any] = {
        "access": granted,
        "total": granted and granted.remaining + granted.spent,
        "last_rotated": granted and api_keys.secret_version(granted),
        "previous_ends_at": granted and api_keys.previous_secret_ends_at(granted, now),
        "open_keys": [each for each in listed if each.state not in has_ended],
        "ended_keys": [each for each in listed if each.state in has_ended],
        "form": form,
        "form_token": form_tokens.current_token(request),
        "overlaps": OVERLAPS,
        "usual_overlap": DEFAULT_OVERLAP,
        "free_swaps": ApiAccess.free_swaps(),
        "most_keys": api_keys.MAX_KEYS,
    }
    return render(request, "api/keys.html", context, status=status)


def _show_once(
    request: HttpRequest, key: ApiKey, token: str, *, what: str, **more: Any
) -> HttpResponse:
    """Show a new key, on the only page that ever does. It is stored nowhere, nor in the session."""
    context = {
        "key": key,
        "token": token,
        "what": what,
        "curl": _curl_command(key, token),
        "access": ApiAccess.objects.get_or_grant_by_id(key.user_id),
        **more,
    }
    return render(request, "api/key_shown.html", context)


def _curl_command(key: ApiKey, token: str) -> str:
    """Return a curl command that works as it stands."""
    if key.has_scope(Scope.SWAP):
        path, body = (
            "swap",
            {
                "source_image_url": links.sample_url("1-face.jpg"),
                "target_image_url": links.sample_url("1-photo.jpg"),
            },
        )
    else:
        path, body = "tasks", {"action": "retrieve", "id": "the task_id of a swap"}
    lines = (
        f"curl {settings.SITE_URL}/face/{path}",
        f"-H 'authorization: Bearer {token}'",
        "-H 'content-type: application/json'",
        f"-d '{json.dumps(body, indent=2)}'".replace("\n", "\n  "),
    )
    return " \\\n  ".join(lines)
