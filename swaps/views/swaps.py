"""Pages to request, show and delete a swap."""

import uuid
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from swaps import errors, images
from swaps.accounts import rate_limit
from swaps.hosted import status as hosted_status
from swaps.lifecycle.remove import remove_swap
from swaps.lifecycle.request import AlreadyRequested, request_swap
from swaps.lifecycle.uploads import discard_uploads
from swaps.models import FormSubmission, Provider, Quota, Swap
from swaps.storage import space
from swaps.views import form_tokens
from swaps.views.decorators import (
    MemberRequest,
    OwnerRequest,
    members_only,
    members_or_guests,
)
from swaps.views.failures import insufficient_storage
from swaps.views.forms.swaps import PHOTOS, SwapForm, find_kept_photo

PHOTO_FIELDS = [f"{photo}_{way}" for photo in PHOTOS for way in ("image", "kept")]


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Show the form of a new swap, or request one.

    ``?source=`` and ``?target=`` take the photos of an earlier swap.
    """
    if request.method == "POST":
        return _request_swap(request)
    form = SwapForm(request.user)
    for photo in PHOTOS:
        pk = request.GET.get(photo, "")
        form.kept[photo] = find_kept_photo(request.user, photo, f"swap.{pk}")
    return _form_page(request, form)


def _request_swap(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    rate, may_send = rate_limit.count_form(request.user, now)
    if not may_send:
        return _rate_limited_page(request, rate_limit.refusal(rate, now, "forms"))
    form_key = form_tokens.form_key(request, PHOTO_FIELDS)
    form = SwapForm(request.user, request.POST, request.FILES)
    try:
        _check_not_sent(request, form_key)
        space.require_free_space()
        if not form.is_valid():
            # The same form, sent at the same moment, may just have used up the kept photos.
            _check_not_sent(request, form_key)
            return _invalid_form_page(request, form)
        source, target = form.photos["source"], form.photos["target"]
        request_swap(request.user, source, target, form_key=form_key)
    except AlreadyRequested:
        messages.info(request, "This swap was requested already, and only once.")
        return redirect("swaps:history")
    except errors.ApiError:
        return insufficient_storage()
    except errors.UsedUp as error:
        form.add_error(None, error.message)
        return _invalid_form_page(request, form)
    discard_uploads(request.user, [kept.key for kept in form.kept.values() if kept])
    return redirect("swaps:history")


@members_or_guests
@require_POST
def delete(request: OwnerRequest, pk: uuid.UUID) -> HttpResponse:
    """Remove a swap with its pictures. Twice is no error: a double click sends it twice."""
    mine = Swap.objects.filter(owner=request.owner, is_hidden=False)
    remove_swap(get_object_or_404(mine, pk=pk))
    messages.success(request, "Deleted, with all its pictures.")
    return redirect("swaps:try" if request.owner.is_guest else "swaps:history")


def _check_not_sent(request: MemberRequest, form_key: str) -> None:
    if FormSubmission.objects.filter(user=request.user, key=form_key).exists():
        raise AlreadyRequested


def _invalid_form_page(request: MemberRequest, form: SwapForm) -> HttpResponse:
    form.keep_valid_photos()
    if error := form.overloaded:
        page = _form_page(request, form, status=error.status)
        page["Retry-After"] = str(error.retry_after)
        return page
    return _form_page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _rate_limited_page(request: MemberRequest, error: errors.TooManyRequests) -> HttpResponse:
    """Render the form with 429, without opening the photos that were sent."""
    form = SwapForm(request.user, initial={"consent": "consent" in request.POST})
    for photo in PHOTOS:
        form.kept[photo] = find_kept_photo(
            request.user, photo, request.POST.get(f"{photo}_kept", "")
        )
    messages.error(request, error.message)
    page = _form_page(request, form, status=error.status)
    page["Retry-After"] = str(error.retry_after)
    return page


def _form_page(request: MemberRequest, form: SwapForm, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "form_token": form_tokens.current_token(request),
        "kept": form.kept,
        "would_wait": settings.FACESWAP_PROVIDER == Provider.HOSTED
        and hosted_status.is_down(timezone.now()),
        "swaps_left": Quota.objects.remaining_of(request.user),
        "is_full": space.is_low(),
        "accept": ",".join(images.ACCEPTED_CONTENT_TYPES),
        "accepted": images.ACCEPTED_TEXT,
        "limits": {
            "bytes": settings.FACESWAP_MAX_UPLOAD_BYTES,
            "megabytes": settings.FACESWAP_MAX_UPLOAD_BYTES // 1_000_000,
            "megapixels": settings.FACESWAP_MAX_PIXELS // 1_000_000,
        },
    }
    return render(request, "swaps/new.html", context, status=status)
