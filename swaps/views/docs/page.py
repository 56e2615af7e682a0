"""The API documentation page with its playground, and the fragments that the playground loads."""

import uuid
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event
from django_htmx.middleware import HtmxDetails

from swaps import errors, images
from swaps.accounts import rate_limit
from swaps.api.description.samples import PLACEHOLDER, json_text, samples
from swaps.deliveries import arrivals as deliveries_arrivals
from swaps.deliveries import inspector
from swaps.images import budget
from swaps.lifecycle.uploads import keep_with_url
from swaps.models import ApiAccess, ApiKey, Scope, User
from swaps.models.delivery import PAUSES
from swaps.storage import space
from swaps.views.decorators import MemberRequest, members_only, no_content
from swaps.views.docs.playground import (
    CALLS,
    SAMPLES,
    WAYS,
    FormValues,
    Name,
    Picture,
    preview,
    read_form,
)
from swaps.views.docs.reference import Operation, reference

MINUTE, HOUR = 60, 3600


class PageRequest(HttpRequest):
    """A request of anybody, signed in or not, with the details of htmx."""

    htmx: HtmxDetails


@cache_control(private=True)
@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show the API documentation, to those who are signed in with their key and callbacks."""
    found, form = reference(settings.SITE_URL), read_form(request.GET)
    key = _key_placeholder(request.user)
    context: dict[str, Any] = {
        "reference": found,
        "operations": [(each, _samples(each, key)) for each in found.operations],
        "site_url": settings.SITE_URL,
        "shown_key": key,
        "asked": form,
        "calls": CALLS,
        "ways": WAYS,
        "scopes": Scope.choices,
        "pauses": [_duration(seconds) for seconds in PAUSES],
        "limits": _limits(),
        "accept": ",".join(images.ACCEPTED_CONTENT_TYPES),
        "query": request.GET.urlencode(),
        **_request_context(request.user, form, key),
        **_account_context(request.user),
    }
    return render(request, "api/docs.html", context)


@cache_control(private=True)
@require_safe
def api_samples(request: PageRequest) -> HttpResponse:
    """Render the request in each language, for the present contents of the form."""
    if not request.htmx:
        return redirect(_page_url(request.GET))
    context = _request_context(request.user, read_form(request.GET), _key_placeholder(request.user))
    return render(request, "api/_request.html", context)


@members_only
@require_POST
def api_upload(request: MemberRequest) -> HttpResponse:
    """Store a picture under a URL that the API can be given."""
    name: Any = request.POST.get("name")
    if name not in SAMPLES:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    picture = _store_picture(request.user, name, request.FILES.get("picture"))
    if request.htmx:
        context = {"picture": picture, "accept": ",".join(images.ACCEPTED_CONTENT_TYPES)}
        answer = render(request, "api/_place.html", context)
        return trigger_client_event(answer, "picture", after="settle") if picture.url else answer
    query = QueryDict(request.POST.get("query", ""), mutable=True)
    if picture.url:
        query[name] = picture.url
    else:
        messages.error(request, picture.refusal)
    return redirect(_page_url(query))


@members_only
@require_safe
def api_callbacks(request: MemberRequest) -> HttpResponse:
    """Render the newest callbacks at the user's inspector; 204 until there is a newer one.

    The fragment polls until the callback of ``task`` is among them.
    """
    if not request.htmx:
        return redirect(_page_url(QueryDict()))
    newest = deliveries_arrivals.newest_arrival(request.user)
    if request.GET.get("newest") == str(newest or ""):
        return no_content()
    return render(
        request,
        "api/_callbacks.html",
        _callbacks_context(request.user, request.GET.get("task", "")),
    )


def _store_picture(user: User, name: Name, upload: Any) -> Picture:
    if upload is None:
        return Picture(name=name, refusal="Choose a picture first.")
    now = timezone.now()
    rate, may_send = rate_limit.count_form(user, now)
    if not may_send:
        error = rate_limit.refusal(rate, now, "pictures")
        return Picture(name=name, refusal=error.message)
    try:
        space.require_free_space()
        photo = images.accept(
            upload,
            size=upload.size or 0,
            max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
            max_pixels=settings.FACESWAP_MAX_PIXELS,
            reserve=budget.for_account(user.pk),
        )
        kept = keep_with_url(user, photo)
    except (images.ImageRefused, errors.SwapError) as error:
        return Picture(name=name, refusal=error.message)
    return Picture(name=name, url=kept.url, upload_id=kept.pk, lifetime=_duration(kept.seconds))


def _key_placeholder(user: User | AnonymousUser) -> str:
    """Return the beginning of the user's newest key; the rest is stored nowhere."""
    if not user.is_authenticated:
        return PLACEHOLDER
    usable = ApiKey.objects.filter(user=user).usable(timezone.now())
    prefix = usable.order_by("-created_at").values_list("prefix", flat=True).first()
    return f"{prefix}..." if prefix else PLACEHOLDER


def _samples(operation: Operation, key: str) -> list[Any]:
    return samples(settings.SITE_URL, operation.path, operation.example, key)


def _request_context(user: User | AnonymousUser, form: FormValues, key: str) -> dict[str, Any]:
    inspector_url = inspector.inspector_url(user) if user.is_authenticated else ""
    call = preview(form, inspector_url)
    return {
        "call": call,
        "path": call.path,
        "api_path": settings.SITE_PATH,
        "body": json_text(call.body),
        "samples": samples(
            settings.SITE_URL, call.path, call.body, key, idempotency_key=call.idempotency_key
        ),
    }


def _account_context(user: User | AnonymousUser) -> dict[str, Any]:
    free = {"free_swaps": ApiAccess.free_swaps()}
    if not user.is_authenticated:
        return free
    return free | {
        "access": ApiAccess.objects.filter(user=user).first(),
        **_callbacks_context(user, ""),
    }


def _callbacks_context(user: User, task: str) -> dict[str, Any]:
    arrivals = deliveries_arrivals.arrivals(user, timezone.now())
    is_here = any(arrival.task_id == task for arrival in arrivals)
    return {
        "arrivals": arrivals,
        "waiting_for": "" if is_here else _task_id(task),
        "newest": arrivals[0].pk if arrivals else "",
    }


def _task_id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""


def _limits() -> dict[str, Any]:
    return {
        "calls": settings.FACESWAP_API_CALLS_PER_MINUTE,
        "wait": settings.FACESWAP_API_MAX_WAIT_SECONDS,
        "body": settings.FACESWAP_API_MAX_BODY_BYTES // 1_000_000,
        "kinds": images.ACCEPTED_TEXT,
        "megabytes": settings.FACESWAP_MAX_UPLOAD_BYTES // 1_000_000,
        "megapixels": settings.FACESWAP_MAX_PIXELS // 1_000_000,
        "lifetime": _duration(settings.FACESWAP_SIGNED_URL_SECONDS),
    }


def _duration(seconds: int) -> str:
    for unit, name in ((HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name}{'s' if seconds > unit else ''}"
    return f"{seconds} seconds"


def _page_url(query: QueryDict) -> str:
    search = f"?{query.urlencode()}" if query else ""
    return f"{reverse('swaps:api_docs')}{search}#try"
