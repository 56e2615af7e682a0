"""The pages on which a swap is requested: two photos, and the faces in them that are meant."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from swaps import errors, images
from swaps.accounts import rate_limit
from swaps.lifecycle.face_crop import crop_to_face
from swaps.lifecycle.request import AlreadyRequested, SwapDetails, request_swap
from swaps.lifecycle.uploads import discard_uploads, has_looker, wait_until_seen
from swaps.models import FormSubmission, Look, Provider, Swap, Upload
from swaps.models.swap_pairs import Pair
from swaps.storage import space
from swaps.views import consent, form_tokens, photo_form
from swaps.views.decorators import MemberRequest, members_only
from swaps.views.failures import insufficient_storage
from swaps.views.forms.photos import PLACES, find_kept_photo
from swaps.views.forms.swaps import SwapForm
from swaps.views.photo_json import advice_text

FIELDS = [
    *(f"{place}_{end}" for place in PLACES for end in ("image", "photo", "face")),
    "target_faces",
    "pair",
]
LOOK_SECONDS = 3.0  # that a form without scripts waits for its photos to be looked at


@members_only
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: MemberRequest) -> HttpResponse:
    """Show the form of a new swap, or request one.

    ``?source=`` and ``?target=`` take the photos of an earlier swap, ``?source_photo=`` and
    ``?target_photo=`` photos that were sent ahead or are kept.
    """
    if request.method == "POST":
        return _request_swap(request)
    form = SwapForm(request.user, has_consented=bool(consent.given_at(request)))
    for place in PLACES:
        photo, swap = request.GET.get(f"{place}_photo", ""), request.GET.get(place, "")
        form.kept[place] = find_kept_photo(request.user, place, photo or f"swap.{swap}")
    return _form_page(request, form)


def _request_swap(request: MemberRequest) -> HttpResponse:
    now = timezone.now()
    rate, may_send = rate_limit.count_form(request.user, now)
    if not may_send:
        return _rate_limited_page(request, rate_limit.refusal(rate, now, "forms"))
    form_key = form_tokens.form_key(request, FIELDS)
    has_consented = bool(consent.given_at(request))
    form = SwapForm(request.user, request.POST, request.FILES, has_consented=has_consented)
    try:
        return _page_after(request, form, form_key)
    except AlreadyRequested:
        messages.info(request, "This swap was requested already, and only once.")
        return redirect(_page_of(request, form_key))
    except (errors.Overloaded, errors.TooManyRequests) as error:
        form.overloaded = error
        form.add_error(None, error.message)
    except images.ImageRefused as error:  # it could not be cropped for a hosted provider
        form.add_error(None, error.message)
    except errors.ApiError:
        return insufficient_storage()
    except errors.UsedUp as error:
        form.add_error(None, error.message)
    return _invalid_form_page(request, form)


def _page_after(request: MemberRequest, form: SwapForm, form_key: str) -> HttpResponse:
    """Request the swap, and lead to its page; or show what is wrong or undecided."""
    _check_not_sent(request, form_key)
    space.require_free_space()
    if not form.is_valid():
        # The same form, sent at the same moment, may just have used up the kept photos.
        _check_not_sent(request, form_key)
        return _invalid_form_page(request, form)
    consented_at = consent.remember(request, timezone.now())
    _look_at_photos(form)
    if form.undecided:
        return _choose_page(request, form)
    source, target, pairs = _sent_photos(form)
    details = SwapDetails(pairs=pairs, consented_at=consented_at)
    swap = request_swap(
        request.user,
        source,
        target,
        more_sources=form.more_photos if pairs else (),
        details=details,
        form_key=form_key,
    )
    used = [*form.kept.values(), *form.more_kept]
    discard_uploads(request.user, [kept.key for kept in used if kept])
    return redirect("swaps:detail", swap.pk)


def _look_at_photos(form: SwapForm) -> None:
    """Let a worker look at photos that came with the form: they may show several faces."""
    if not has_looker():
        return
    form.keep_valid_photos(with_copies=True)
    wait_until_seen([one for one in form.uploads if one.look == Look.LOOKING], LOOK_SECONDS)


def _sent_photos(form: SwapForm) -> tuple[images.Photo, images.Photo, list[Pair]]:
    """Return source, target and pairs; a hosted provider gets the chosen face alone."""
    source, target, pairs = form.photos["source"], form.photos["target"], form.pairs
    point = form.cleaned_data.get("source_face")
    if not _is_hosted():
        return source, target, pairs
    if point:
        source = crop_to_face(source, form.faces("source"), point, form.user.pk)
    return source, target, []


def _is_hosted() -> bool:
    return settings.FACESWAP_PROVIDER == Provider.HOSTED


def _page_of(request: MemberRequest, form_key: str) -> str:
    """Return the page of the swap that this form has made already."""
    made = FormSubmission.objects.filter(user=request.user, key=form_key).first()
    swap = made and Swap.objects.visible_to(request.user).filter(pk=made.made).first()
    return reverse("swaps:detail", args=[swap.pk]) if swap else reverse("swaps:history")


def _choose_page(request: MemberRequest, form: SwapForm) -> HttpResponse:
    """Ask which of several faces is meant: the step that a form without scripts takes more."""
    context = {
        "places": [_place(request, form, place) for place in PLACES],
        "form_token": form_tokens.current_token(request),
        "target_faces": request.POST.get("target_faces", ""),
        "pairs": request.POST.getlist("pair"),
    }
    return render(request, "swaps/choose.html", context)


def _place(request: MemberRequest, form: SwapForm, place: str) -> dict[str, Any]:
    """Return what the page of the choice shows of one photo; faces only where one is to choose."""
    kept = form.kept[place]
    faces = form.faces(place) if place in form.undecided else []
    return {
        "name": place,
        "kept": kept,
        "badge": (kept.upload.width or 0) // 25 if kept and kept.upload else 0,
        "faces": [_numbered(number, face) for number, face in enumerate(faces, 1)],
        "chosen": request.POST.get(f"{place}_face", ""),
    }


def _numbered(number: int, face: dict[str, Any]) -> dict[str, Any]:
    """Return a face with its number, its middle as a point, and its box in hundredths."""
    x, y = face["x"] + face["width"] / 2, face["y"] + face["height"] / 2
    box = {side: f"{100 * face[side]:.2f}" for side in ("x", "y", "width", "height")}
    return {
        "number": number,
        "point": f"{x:.4f},{y:.4f}",
        "says": advice_text(face),
        **box,
    }


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
    for place in PLACES:
        ref = request.POST.get(f"{place}_photo", "")
        form.kept[place] = find_kept_photo(request.user, place, ref)
    messages.error(request, error.message)
    page = _form_page(request, form, status=error.status)
    page["Retry-After"] = str(error.retry_after)
    return page


def _form_page(request: MemberRequest, form: SwapForm, status: int = 200) -> HttpResponse:
    context = {
        **photo_form.context(request),
        "form": form,
        "kept": form.kept,
        "my_faces": Upload.objects.my_faces().filter(owner=request.user),
    }
    return render(request, "swaps/new.html", context, status=status)
