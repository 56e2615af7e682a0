"""A photo that was sent ahead of its swap, as JSON and in words."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from swaps import errors, messages
from swaps.models import Look, Provider, Upload
from swaps.models.swap_files import PictureKind


def photo_json(upload: Upload, place: PictureKind) -> dict[str, Any]:
    """Return how far a photo is, and the faces it shows.

    ``says`` has the advice about each face in plain words, ``message`` what to do next.
    """
    return {
        "id": str(upload.pk),
        "url": reverse("swaps:upload", args=[upload.pk]),
        "width": upload.width,
        "height": upload.height,
        "status": upload.look,
        "faces": upload.faces,
        "says": [advice_text(face) for face in upload.faces],
        "message": _message(upload, place),
        "is_kept": upload.is_kept,
    }


def advice_text(face: Mapping[str, Any]) -> str:
    """Return in plain words what may spoil a swap with this face; "" when nothing may."""
    degrees = round(max(abs(face["yaw"]), abs(face["pitch"])))
    codes = [code for code in face["advice"] if f"advice.{code}" in messages.TEXTS]
    return " ".join(messages.text({"code": f"advice.{c}", "degrees": degrees}) for c in codes)


def _message(upload: Upload, place: PictureKind) -> str:
    if upload.look == Look.REFUSED:
        return errors.NoFace(place).message
    if len(upload.faces) < 2:
        return ""
    is_hosted = settings.FACESWAP_PROVIDER == Provider.HOSTED
    kind = "hosted" if is_hosted and place == "target" else place
    return messages.text({"code": f"advice.several_{kind}", "count": len(upload.faces)})
