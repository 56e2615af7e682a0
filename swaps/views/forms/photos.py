"""The form of one photo that is sent ahead of its swap: a file, or a copy of what is here."""

import re
import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse

from swaps import errors, images
from swaps.images import budget
from swaps.lifecycle.photos import load_photo
from swaps.models import Swap, Upload, User
from swaps.models.swap_files import PictureKind

PLACES: tuple[PictureKind, PictureKind] = ("source", "target")
REF = re.compile(r"(?P<swap>swap\.)?(?P<pk>[0-9a-fA-F-]{32,36})(\.(?P<place>source|target))?")
PHOTO_NAMES = {"source": "face photo", "target": "target photo"}


@dataclass(frozen=True, kw_only=True)
class KeptPhoto:
    """A stored photo that a form can use: sent ahead of its swap, or of an earlier swap."""

    ref: str
    key: str
    url: str
    upload: Upload | None = None


def find_kept_photo(user: User, place: str, ref: str) -> KeptPhoto | None:
    """Return the user's photo named by an upload's id or by ``swap.<uuid>``; otherwise None.

    Of a swap it is the photo of this place, or that of ``swap.<uuid>.source`` or ``….target``.
    """
    match = REF.fullmatch(ref)
    pk = _uuid(match["pk"]) if match else None
    if match is None or pk is None:
        return None
    if not match["swap"]:
        upload = Upload.objects.filter(pk=pk, owner=user).first()
        return kept_upload(upload) if upload else None
    kind: PictureKind = "target" if (match["place"] or place) == "target" else "source"
    swap = Swap.objects.visible_to(user).filter(pk=pk).first()
    key = swap.key(kind) if swap else ""
    if not key:  # not fetched yet, or removed after the swap failed
        return None
    return KeptPhoto(ref=ref, key=key, url=reverse("swaps:thumb", args=[pk, kind]))


def kept_upload(upload: Upload) -> KeptPhoto:
    """Return a photo that was sent ahead, as a form uses it."""
    url = reverse("swaps:upload", args=[upload.pk])
    return KeptPhoto(ref=str(upload.pk), key=upload.key, url=url, upload=upload)


def accept_file(file: Any, user: User) -> images.Photo:
    """Check and re-encode a file that was sent.

    Raises ``images.ImageRefused``; and ``errors.Overloaded`` or ``errors.TooManyRequests`` while
    too many pictures are being opened.
    """
    return images.accept(
        file,
        size=file.size or 0,
        max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
        max_pixels=settings.FACESWAP_MAX_PIXELS,
        reserve=budget.for_account(user.pk),
    )


class PhotoForm(forms.Form):
    """Reads one photo; after ``is_valid()`` it is in ``photo``, ready to store.

    ``image`` is a file; ``copy`` names a photo of an earlier swap instead, as `find_kept_photo`
    knows it.
    """

    image = forms.FileField(required=False, allow_empty_file=True)
    copy = forms.CharField(required=False, max_length=60)
    place = forms.ChoiceField(choices=[(place, place) for place in PLACES])

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.photo: images.Photo | None = None
        self.overloaded: errors.Overloaded | errors.TooManyRequests | None = None

    @property
    def problem(self) -> str:
        """The first thing that is wrong, for people."""
        return next((str(error) for found in self.errors.values() for error in found), "")

    def clean(self) -> dict[str, Any]:
        file, place = self.cleaned_data.get("image"), self.cleaned_data.get("place", "source")
        try:
            if file is not None:
                self.photo = accept_file(file, self.user)
            elif kept := find_kept_photo(self.user, place, self.cleaned_data.get("copy") or ""):
                self.photo = load_photo(kept.key)
        except (errors.Overloaded, errors.TooManyRequests) as error:
            self.overloaded = error
            self.add_error(None, error.message)
        except images.ImageRefused as error:
            self.add_error(None, f"The {PHOTO_NAMES[place]} cannot be used. {error.message}")
        except FileNotFoundError:  # deleted meanwhile
            self.photo = None
        if self.photo is None and not self.errors:
            self.add_error(None, f"Choose a {PHOTO_NAMES[place]}.")
        return self.cleaned_data


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
