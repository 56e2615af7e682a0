"""Photos that are sent ahead of their swap, as JSON: stored, looked at, kept and deleted."""

import uuid
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from swaps import errors
from swaps.accounts import rate_limit
from swaps.lifecycle.uploads import MAX_MY_FACES, keep_upload, set_kept
from swaps.models import Upload
from swaps.storage import space
from swaps.views.decorators import MemberRequest, members_only
from swaps.views.forms.photos import PhotoForm
from swaps.views.photo_json import photo_json


@members_only
@require_POST
def send(request: MemberRequest) -> JsonResponse:
    """Store a photo and let a worker look at it; the answer names it, and says how it stands."""
    now = timezone.now()
    rate, may_send = rate_limit.count_photo(request.user, now)
    if not may_send:
        return _refusal(rate_limit.refusal(rate, now, "pictures"))
    form = PhotoForm(request.user, request.POST, request.FILES)
    try:
        space.require_free_space()
        if not form.is_valid() or form.photo is None:
            return _refusal(form.overloaded) if form.overloaded else _refused(form.problem)
        upload = keep_upload(request.user, form.photo)
    except errors.SwapError as error:
        return _refusal(error)
    return JsonResponse(_as_json(request, upload), status=HTTPStatus.CREATED)


@members_only
@require_safe
def show(request: MemberRequest, pk: uuid.UUID) -> JsonResponse:
    """Say what a photo shows, once it has been looked at."""
    return JsonResponse(_as_json(request, _upload(request, pk)))


@members_only
@require_POST
def delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a photo. Twice is no error. A browser's own form gets back to My faces."""
    for upload in Upload.objects.filter(pk=pk, owner=request.user):
        upload.delete()  # by its row: its files go with it
    if request.get_preferred_type(["application/json", "text/html"]) == "text/html":
        messages.success(request, "Deleted.")
        return redirect("swaps:my_faces")
    return JsonResponse({"deleted": True})


@members_only
@require_safe
def my_faces(request: MemberRequest) -> HttpResponse:
    """Show the photos that the user keeps."""
    kept = Upload.objects.my_faces().filter(owner=request.user)
    context = {"my_faces": kept, "limit": MAX_MY_FACES}
    return render(request, "swaps/my_faces.html", context)


@members_only
@require_POST
def keep(request: MemberRequest, pk: uuid.UUID) -> JsonResponse:
    """Keep a photo among My faces, or with ``kept=0`` no longer."""
    upload = _upload(request, pk)
    try:
        set_kept(upload, is_kept=request.POST.get("kept") != "0")
    except errors.SwapError as error:
        return _refusal(error)
    return JsonResponse(_as_json(request, upload))


def _upload(request: MemberRequest, pk: uuid.UUID) -> Upload:
    return get_object_or_404(Upload, pk=pk, owner=request.user)


def _as_json(request: HttpRequest, upload: Upload) -> dict[str, Any]:
    place = request.POST.get("place") or request.GET.get("place")
    return photo_json(upload, "target" if place == "target" else "source")


def _refused(message: str) -> JsonResponse:
    body = {"status": "refused", "faces": [], "message": message}
    return JsonResponse(body, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _refusal(error: errors.SwapError) -> JsonResponse:
    response = _refused(error.message)
    response.status_code = error.status
    if error.retry_after:
        response["Retry-After"] = str(error.retry_after)
    return response
