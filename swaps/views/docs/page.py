"""The documentation of the Face Swap API, and the playground beside it."""

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
from swaps.views.decorators import MemberRequest, members_only, nothing_new
from swaps.views.docs.playground import SAMPLES, WAYS, Asked, Name, Picture, call_of, read
from swaps.views.docs.reference import Operation, reference

SWAP_PATH = "/face/swap"
MINUTE, HOUR = 60, 3600


class PageRequest(HttpRequest):
    """A request of anybody."""

    htmx: HtmxDetails


@cache_control(private=True)
@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """For everybody; it says more to those who are signed in."""
    found, asked = reference(settings.SITE_URL), read(request.GET)
    key = _shown_key(request.user)
    context: dict[str, Any] = {
        "reference": found,
        "operations": [(each, _example(each, key)) for each in found.operations],
        "site_url": settings.SITE_URL,
        "shown_key": key,
        "asked": asked,
        "ways": WAYS,
        "scopes": Scope.choices,
        "pauses": [_words(seconds) for seconds in PAUSES],
        "limits": _limits(),
        "accept": ",".join(images.ACCEPTED_CONTENT_TYPES),
        "query": request.GET.urlencode(),
        **_request_context(request.user, asked, key),
        **_account_context(request.user),
    }
    return render(request, "api/docs.html", context)


@cache_control(private=True)
@require_safe
def api_samples(request: PageRequest) -> HttpResponse:
    """The request in each language, for what is in the form right now."""
    if not request.htmx:
        return redirect(_page(request.GET))
    context = _request_context(request.user, read(request.GET), _shown_key(request.user))
    return render(request, "api/_request.html", context)


@members_only
@require_POST
def api_upload(request: MemberRequest) -> HttpResponse:
    """A picture becomes a URL that the API can be given."""
    name: Any = request.POST.get("name")
    if name not in SAMPLES:
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    picture = _upload(request.user, name, request.FILES.get("picture"))
    if request.htmx:
        context = {"picture": picture, "accept": ",".join(images.ACCEPTED_CONTENT_TYPES)}
        answer = render(request, "api/_place.html", context)
        return trigger_client_event(answer, "picture", after="settle") if picture.url else answer
    query = QueryDict(request.POST.get("query", ""), mutable=True)
    if picture.url:
        query[name] = picture.url
    else:
        messages.error(request, picture.refusal)
    return redirect(_page(query))


@members_only
@require_safe
def api_callbacks(request: MemberRequest) -> HttpResponse:
    """The newest callbacks at the reader's inspector; 204 while ``newest`` still is the newest.

    Asks again by itself until the callback of ``task`` is among them.
    """
    if not request.htmx:
        return redirect(_page(QueryDict()))
    newest = deliveries_arrivals.newest_arrival(request.user)
    if request.GET.get("newest") == str(newest or ""):
        return nothing_new()
    return render(
        request, "api/_callbacks.html", _arrived(request.user, request.GET.get("task", ""))
    )


def _upload(user: User, name: Name, upload: Any) -> Picture:
    if upload is None:
        return Picture(name=name, refusal="Choose a picture first.")
    now = timezone.now()
    rate, may_send = rate_limit.take_form(user, now)
    if not may_send:
        error = rate_limit.refusal(rate, now, "send {} pictures")
        return Picture(name=name, refusal=error.message)
    try:
        space.check()
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
    return Picture(name=name, url=kept.url, upload_id=kept.pk, lifetime=_words(kept.seconds))


def _shown_key(user: User | AnonymousUser) -> str:
    """How the reader's newest key begins: the page does not know how it ends."""
    if not user.is_authenticated:
        return PLACEHOLDER
    usable = ApiKey.objects.filter(user=user).usable(timezone.now())
    prefix = usable.order_by("-created_at").values_list("prefix", flat=True).first()
    return f"{prefix}..." if prefix else PLACEHOLDER


def _example(operation: Operation, key: str) -> list[Any]:
    return samples(settings.SITE_URL, operation.path, operation.example, key)


def _request_context(user: User | AnonymousUser, asked: Asked, key: str) -> dict[str, Any]:
    inspector_url = inspector.url_of(user) if user.is_authenticated else ""
    call = call_of(asked, inspector_url)
    return {
        "call": call,
        "path": SWAP_PATH,
        "api_path": settings.SITE_PATH,
        "body": json_text(call.body),
        "samples": samples(
            settings.SITE_URL, SWAP_PATH, call.body, key, idempotency_key=call.idempotency_key
        ),
    }


def _account_context(user: User | AnonymousUser) -> dict[str, Any]:
    free = {"free_swaps": ApiAccess.free_swaps()}
    if not user.is_authenticated:
        return free
    return free | {
        "access": ApiAccess.objects.filter(user=user).first(),
        **_arrived(user, ""),
    }


def _arrived(user: User, task: str) -> dict[str, Any]:
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
        "lifetime": _words(settings.FACESWAP_SIGNED_URL_SECONDS),
    }


def _words(seconds: int) -> str:
    for unit, name in ((HOUR, "hour"), (MINUTE, "minute")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name}{'s' if seconds > unit else ''}"
    return f"{seconds} seconds"


def _page(query: QueryDict) -> str:
    said = f"?{query.urlencode()}" if query else ""
    return f"{reverse('swaps:api_docs')}{said}#try"
