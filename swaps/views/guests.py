"""The page on which a guest tries the site without an account."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from swaps import errors, images
from swaps.accounts import guests, limits
from swaps.lifecycle.guest_request import request_guest_swap
from swaps.lifecycle.request import AlreadyRequested
from swaps.lifecycle.uploads import discard_uploads
from swaps.models import FormSubmission, Quota, Swap, User
from swaps.storage import space
from swaps.views import form_tokens
from swaps.views.decorators import revalidated
from swaps.views.failures import insufficient_storage
from swaps.views.forms.guests import TryForm
from swaps.views.forms.photos import PLACES, find_kept_photo
from swaps.views.samples import BY_PLACE

FIELDS = [f"{place}_{way}" for place in PLACES for way in ("image", "photo", "sample")]
MAX_SHOWN = 12  # pictures that a guest made
TITLES = {"source": "Pick a face", "target": "Pick the photo it goes into"}


@revalidated
@require_http_methods(["GET", "HEAD", "POST"])
def try_it(request: HttpRequest) -> HttpResponse:
    """Show the form of a guest's swap, or request one.

    ``?source=`` and ``?target=`` take the photos of an earlier swap.
    """
    if request.user.is_authenticated:
        return redirect("swaps:new")
    if not settings.FACESWAP_GUEST_SWAPS:
        return redirect("account_signup")
    guest = guests.find_guest(request.session)
    names = guests.counter_names(guest, limits.client_network(request))
    left = guests.swaps_left(names, timezone.now())
    if not left:
        sent = guest and _find_sent(guest, form_tokens.form_key(request, FIELDS))
        return redirect("swaps:detail", pk=sent) if sent else _used_up_page(request, guest)
    if request.method == "POST":
        if not limits.count_guest_form(request):
            return _too_many_page(request, left)
        return _request_swap(request, guests.find_or_make_guest(request.session), left)
    form = TryForm(guest or User())
    if guest:
        for place in PLACES:
            ref = f"swap.{request.GET.get(place, '')}"
            form.kept[place] = find_kept_photo(guest, place, ref)
    return _form_page(request, form, left)


def _request_swap(request: HttpRequest, guest: User, left: int) -> HttpResponse:
    names = guests.counter_names(guest, limits.client_network(request))
    form_key = form_tokens.form_key(request, FIELDS)
    form = TryForm(guest, request.POST, request.FILES)
    try:
        if _find_sent(guest, form_key):
            raise AlreadyRequested
        space.require_free_space()
        if not form.is_valid():
            return _invalid_form_page(request, form, left)
        source, target = form.photos["source"], form.photos["target"]
        swap = request_guest_swap(guest, source, target, counters=names, form_key=form_key)
    except AlreadyRequested:
        return redirect("swaps:detail", pk=_find_sent(guest, form_key))
    except errors.ApiError:
        return insufficient_storage()
    except errors.UsedUp:
        return _used_up_page(request, guest)
    discard_uploads(guest, [kept.key for kept in form.kept.values() if kept])
    return redirect("swaps:detail", pk=swap.pk)


def _find_sent(guest: User, form_key: str) -> str | None:
    """Return the id of the swap that this form has requested already."""
    sent = FormSubmission.objects.filter(user=guest, key=form_key)
    return sent.values_list("made", flat=True).first()


def _invalid_form_page(request: HttpRequest, form: TryForm, left: int) -> HttpResponse:
    form.keep_valid_photos()
    if error := form.overloaded:
        page = _form_page(request, form, left, status=error.status)
        page["Retry-After"] = str(error.retry_after)
        return page
    return _form_page(request, form, left, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _too_many_page(request: HttpRequest, left: int) -> HttpResponse:
    """Render the form with 429, without opening the photos that were sent."""
    error = errors.TooManyRequests("tries", retry_after=60)
    messages.error(request, error.message)
    page = _form_page(request, TryForm(User()), left, status=error.status)
    page["Retry-After"] = str(error.retry_after)
    return page


def _used_up_page(request: HttpRequest, guest: User | None) -> HttpResponse:
    """Say that there are no tries left today, and what to do; shown before any upload."""
    context = {
        "limit": settings.FACESWAP_GUEST_SWAPS,
        "free_swaps": Quota.free_swaps(),
        "made": Swap.objects.visible_to(guest).succeeded().newest_first()[:MAX_SHOWN]
        if guest
        else (),
    }
    status = HTTPStatus.OK if request.method != "POST" else HTTPStatus.FORBIDDEN
    return render(request, "swaps/try_used_up.html", context, status=status)


def _form_page(request: HttpRequest, form: TryForm, left: int, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "form_token": form_tokens.current_token(request),
        "places": [
            {
                "name": place,
                "title": TITLES[place],
                "samples": BY_PLACE[place],
                "chosen": form.chosen_sample(place),
                "kept": form.kept[place],
                "errors": form[f"{place}_image"].errors,
            }
            for place in PLACES
        ],
        "left": left,
        "limit": settings.FACESWAP_GUEST_SWAPS,
        "is_full": space.is_low(),
        "accept": ",".join(images.ACCEPTED_CONTENT_TYPES),
        "accepted": images.ACCEPTED_TEXT,
        "megabytes": settings.FACESWAP_MAX_UPLOAD_BYTES // 1_000_000,
    }
    return render(request, "swaps/try.html", context, status=status)
