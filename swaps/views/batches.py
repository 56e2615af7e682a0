"""Pages of batches: one face is put into many photos at once."""

import datetime
import uuid
from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from swaps import errors, images
from swaps.accounts import rate_limit
from swaps.lifecycle import batch as lifecycle
from swaps.lifecycle.face_crop import crop_to_face
from swaps.lifecycle.photos import load_photo
from swaps.lifecycle.request import AlreadyRequested
from swaps.lifecycle.uploads import discard_uploads
from swaps.models import Batch, Provider, Status, Swap
from swaps.models.swap_pairs import Pair
from swaps.storage import space
from swaps.views import consent, form_tokens, photo_form
from swaps.views.archives import archive_response
from swaps.views.decorators import MemberRequest, members_only, no_content
from swaps.views.failures import insufficient_storage
from swaps.views.file_names import safe_stem
from swaps.views.forms.batches import BatchForm
from swaps.views.forms.photos import KeptPhoto
from swaps.views.history_updates import Poll, interval_ms, parse_known

FIELDS = ["source_image", "source_photo", "source_face", "photo", "target_images", "name"]


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Show the form of a new batch, or request one.

    ``?source_photo=`` and any number of ``?photo=`` take photos that are here already.
    """
    if request.method == "POST":
        return _request_batch(request)
    form = BatchForm(request.user)
    form.take_kept(request.GET)
    return _form_page(request, form)


def _request_batch(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    rate, may_send = rate_limit.count_form(request.user, now)
    if not may_send:
        return _rate_limited_page(request, rate_limit.refusal(rate, now, "forms"))
    form_key = form_tokens.form_key(request, FIELDS)
    has_consented = bool(consent.given_at(request))
    form = BatchForm(request.user, request.POST, request.FILES, has_consented=has_consented)
    try:
        return _page_after(request, form, form_key)
    except AlreadyRequested:
        messages.info(request, "This batch was requested already, and only once.")
        made = lifecycle.find_batch(request.user, form_key)
        return redirect("swaps:batch", made.pk) if made else redirect("swaps:history")
    except (errors.Overloaded, errors.TooManyRequests) as error:
        form.busy = error
        form.add_error(None, error.message)
    except (FileNotFoundError, images.ImageRefused):
        form.add_error(None, "The face photo is not here any more. Choose it again.")
    except errors.ApiError:
        return insufficient_storage()
    except errors.UsedUp as error:
        form.add_error(None, error.message)
    return _invalid_form_page(request, form)


def _page_after(request: MemberRequest, form: BatchForm, form_key: str) -> HttpResponse:
    """Request the batch, and lead to its page; or show what is wrong."""
    if lifecycle.find_batch(request.user, form_key):
        raise AlreadyRequested
    space.require_free_space()
    if not form.is_valid() or form.source is None:
        return _invalid_form_page(request, form)
    source, pairs = _face(form, form.source)
    requested = lifecycle.request_batch(
        request.user,
        source,
        [photo.key for photo in form.photos],
        details=lifecycle.BatchDetails(
            name=form.cleaned_data["name"],
            pairs=pairs,
            consented_at=consent.remember(request, timezone.now()),
        ),
        form_key=form_key,
    )
    if error := requested.error:
        begun = f"{requested.count} of {len(form.photos)} photos were started."
        messages.error(request, f"{begun} {error.message}")
    elif missing := len(form.photos) - requested.count:
        messages.error(request, f"Photos that were deleted meanwhile, and left out: {missing}.")
    discard_uploads(request.user, [form.source.key])
    return redirect("swaps:batch", requested.batch.pk)


@members_only
@require_safe
def batch(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a batch. Its page polls with what it shows, and gets 204 until that changes."""
    shown = _own_batch(request, pk)
    swaps = list(shown.swaps.order_by("created_at", "id"))
    visible = [s for s in swaps if s.status != Status.REMOVED and not s.is_hidden]
    context = {
        "batch": shown,
        "swaps": visible,
        "progress": lifecycle.progress_of(swaps),
        "retryable": sum(map(lifecycle.can_be_retried, visible)),
        "poll": _poll(shown, visible, timezone.now()),
    }
    if not request.htmx:
        return render(request, "batches/batch.html", context)
    known = parse_known(request.GET.get("swaps", ""))
    here = {swap.pk for swap in visible}
    changes = {
        "changed": [swap for swap in visible if known.get(swap.pk, swap.progress) != swap.progress],
        "arrived": [swap for swap in visible if swap.pk not in known],
        "gone": [pk for pk in known if pk not in here],
    }
    is_slower = request.GET.get("every") != str(interval_ms(visible, timezone.now()))
    if not any(changes.values()) and not is_slower:
        return no_content()
    return render(request, "batches/batch.html#updates", context | changes)


@members_only
@require_safe
def archive(request: MemberRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Stream the finished results of a batch as a ZIP archive."""
    chosen = _own_batch(request, pk)
    results = Swap.objects.visible_to(request.user).filter(batch=chosen, status=Status.SUCCEEDED)
    stem = safe_stem(chosen.name) or f"faceswap-{chosen.created_at:%Y-%m-%d-%H%M%S}"
    return archive_response(request, results.order_by("created_at", "id"), stem)


@members_only
@require_POST
def retry(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Request the failed swaps of a batch again. Twice is no error: each is retried once."""
    now = timezone.now()
    rate, may_send = rate_limit.count_form(request.user, now)
    if not may_send:
        messages.error(request, rate_limit.refusal(rate, now, "forms").message)
        return redirect("swaps:batch", pk)
    requested = lifecycle.retry_failed(_own_batch(request, pk))
    if requested.error:
        messages.error(request, requested.error.message)
    return redirect("swaps:batch", pk)


@members_only
@require_POST
def rename(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Give a batch the name in ``name``; an empty one takes its name away."""
    renamed = _own_batch(request, pk)
    renamed.rename(request.POST.get("name", ""))
    if request.htmx:
        return render(request, "batches/batch.html#name", {"batch": renamed})
    return redirect("swaps:batch", pk)


@members_only
@require_POST
def delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Remove a batch with all its pictures. Twice is no error: a double click sends it twice."""
    if found := Batch.objects.filter(pk=pk, owner=request.user).first():
        lifecycle.remove_batch(found)
    messages.success(request, "Deleted, with all its pictures.")
    return redirect("swaps:history")


def _own_batch(request: MemberRequest, pk: uuid.UUID) -> Batch:
    return get_object_or_404(Batch.objects.select_related("owner"), pk=pk, owner=request.user)


def _poll(shown: Batch, swaps: Sequence[Swap], now: datetime.datetime) -> Poll:
    """Build the poll about the swaps as they are shown; one without a URL when all have ended."""
    if not any(swap.is_unfinished for swap in swaps):
        return Poll()
    every = interval_ms(swaps, now)
    known = ",".join(f"{swap.pk}.{swap.progress}" for swap in swaps)
    query = urlencode({"every": every, "swaps": known}, safe=",")
    return Poll(url=f"{reverse('swaps:batch', args=[shown.pk])}?{query}", interval_ms=every)


def _invalid_form_page(request: MemberRequest, form: BatchForm) -> HttpResponse:
    busy = form.busy
    if busy is None or not busy.retry_after:
        return _form_page(request, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    page = _form_page(request, form, status=busy.status)
    page["Retry-After"] = str(busy.retry_after)
    return page


def _rate_limited_page(request: MemberRequest, error: errors.TooManyRequests) -> HttpResponse:
    """Render the form with 429, without opening the photos that were sent."""
    form = BatchForm(request.user, initial=request.POST.dict())
    form.take_kept(request.POST)
    messages.error(request, error.message)
    page = _form_page(request, form, status=error.status)
    page["Retry-After"] = str(error.retry_after)
    return page


def _form_page(request: MemberRequest, form: BatchForm, status: int = 200) -> HttpResponse:
    context = {
        **photo_form.context(request),
        "form": form,
        "max_photos": settings.FACESWAP_MAX_BATCH,
    }
    return render(request, "batches/new.html", context, status=status)


def _face(form: BatchForm, source: KeptPhoto) -> tuple[images.Photo, Sequence[Pair]]:
    """Return the face photo and the pairs; a hosted provider gets the chosen face alone."""
    photo, point = load_photo(source.key), form.cleaned_data.get("source_face")
    if settings.FACESWAP_PROVIDER != Provider.HOSTED:
        return photo, form.pairs
    if point and source.upload:
        photo = crop_to_face(photo, source.upload.faces, point, form.user.pk)
    return photo, []
