"""Serves pictures: to their owner by session, to anybody by a signed URL that expires."""

import contextlib
import uuid
from typing import Any

from django.core.files.base import File
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from swaps import errors, images, links, storage
from swaps.images import budget, cost
from swaps.models import Swap, Upload
from swaps.models.swap_files import PictureKind
from swaps.provenance import xmp
from swaps.sizes import SIDES
from swaps.views import picture_urls
from swaps.views.decorators import OwnerRequest, members_or_guests
from swaps.views.file_names import file_stem

PLAIN_TEXT = "text/plain; charset=utf-8"
SIDES_BY_NAME = {str(side): side for side in SIDES}
KEPT_SECONDS = 365 * 24 * 3600
DOWNLOADS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp"}


@members_or_guests
@require_safe
def photo(request: OwnerRequest, pk: uuid.UUID, kind: PictureKind) -> HttpResponseBase:
    """Serve the source or the target of a swap as it is stored."""
    return _own_picture(request, _visible_swap(request, pk).key(kind))


@members_or_guests
@require_safe
def thumb(request: OwnerRequest, pk: uuid.UUID, kind: PictureKind) -> HttpResponseBase:
    """Serve a small copy of a swap's source, target or result: ``?size=160|640|1600``."""
    side = SIDES_BY_NAME.get(request.GET.get("size", "640"))
    if side is None:
        raise Http404
    return _own_picture(request, _visible_swap(request, pk).key(kind), side)


@members_or_guests
@require_safe
def result(request: OwnerRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Serve the result; with ``?download=jpeg|png|webp`` as a file of that format."""
    swap = _visible_swap(request, pk)
    download = request.GET.get("download")
    if download is None:
        return _own_picture(request, swap.result_key)
    if download not in DOWNLOADS or not swap.result_key:
        raise Http404
    return _download(swap, download)


@members_or_guests
@require_safe
def upload(request: OwnerRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Serve a small copy of a photo that was kept from a refused form."""
    kept = get_object_or_404(Upload, pk=pk, owner=request.owner)
    return _own_picture(request, kept.key, side=640)


@never_cache
@require_safe
def file(request: HttpRequest, token: str) -> HttpResponseBase:
    """Serve the object of a signed URL of ours: the disk's counterpart of S3's presigned GET."""
    key = links.key_of_file(token)
    if key is None:
        raise Http404
    return picture_response(request, key)


@require_safe
def sample(request: HttpRequest, name: str) -> HttpResponseBase:
    """Serve a sample picture to try the API with."""
    path = links.sample(name)
    if path is None:
        raise Http404
    return FileResponse(path.open("rb"), content_type="image/jpeg")


def _own_picture(request: OwnerRequest, key: str, side: int | None = None) -> HttpResponseBase:
    """Serve a picture to its owner, whose browser may keep it.

    With its version in the URL it is never asked for again; without, it is asked whether it has
    changed. ``Vary: Cookie``, which the session adds, keeps it from the next one who signs in.
    """
    if not key:
        raise Http404
    version = picture_urls.version(key)
    etag = f'W/"{version}-{side or "full"}"'
    not_modified = get_conditional_response(request, etag=etag)
    response = not_modified or picture_response(request, key, side)
    response["ETag"] = etag
    if request.GET.get("v") == version:
        patch_cache_control(response, private=True, immutable=True, max_age=KEPT_SECONDS)
    else:
        patch_cache_control(response, private=True, no_cache=True)
    return response


def picture_response(request: HttpRequest, key: str, side: int | None = None) -> HttpResponseBase:
    """Stream a stored picture, or its small copy with this longer side.

    Where that copy is missing the next larger one stands in. Raises Http404 for an empty key or a
    missing file.
    """
    for name in storage.keys_from(key, side) if key else ():
        with contextlib.suppress(FileNotFoundError):
            return _stream(request, name, storage.open_file(name))
    raise Http404


def _stream(request: HttpRequest, key: str, stored: File[bytes]) -> HttpResponseBase:
    response: HttpResponseBase
    if request.method == "HEAD":  # of a bucket all of it would be fetched, and thrown away
        stored.close()
        response = HttpResponse(content_type=storage.content_type(key))
    else:
        response = FileResponse(stored, content_type=storage.content_type(key))
    response["Content-Length"] = stored.size  # Django finds it out for files on disk only
    return response


def _visible_swap(request: OwnerRequest, pk: uuid.UUID) -> Swap:
    return get_object_or_404(Swap.objects.visible_to(request.owner), pk=pk)


def _download(swap: Swap, download: str) -> HttpResponse:
    extension = DOWNLOADS[download]
    try:
        if swap.result_key.endswith(extension):
            data = storage.read(swap.result_key)
        else:
            data = _convert(swap, download)
    except FileNotFoundError as error:
        raise Http404 from error
    except images.ImageRefused as error:
        return HttpResponse(error.message, status=400, content_type=PLAIN_TEXT)
    except (errors.Overloaded, errors.TooManyRequests) as error:
        busy = HttpResponse(error.message, status=error.status, content_type=PLAIN_TEXT)
        busy["Retry-After"] = str(error.retry_after)
        return busy
    name = f"{file_stem(swap)}{extension}"
    response = HttpResponse(data, content_type=storage.CONTENT_TYPES[extension])
    response["Content-Disposition"] = content_disposition_header(True, name) or ""
    return response


def _convert(swap: Swap, download: Any) -> bytes:
    memory = cost.memory_of_stored((swap.width or 0) * (swap.height or 0), swap.size or 0)
    with budget.reserve(memory, who=budget.account_name(swap.owner_id)):
        return images.convert(storage.read(swap.result_key), download, xmp=xmp.ai_xmp())
