"""The form of a new swap: two photos, each uploaded or kept, and the user's consent."""

import uuid
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.urls import reverse

from swaps import errors, images
from swaps.images import budget
from swaps.lifecycle.photos import load_photo
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Swap, Upload, User

PHOTOS = ("source", "target")
PHOTO_NAMES = {"source": "face photo", "target": "target photo"}


@dataclass(frozen=True, kw_only=True)
class KeptPhoto:
    """A stored photo that the form can use: from a refused form, or of an earlier swap."""

    ref: str
    key: str
    url: str


def find_kept_photo(user: User, photo: str, ref: str) -> KeptPhoto | None:
    """Return the user's photo named by ``upload.<uuid>`` or ``swap.<uuid>``; otherwise None."""
    kind, _, text = ref.partition(".")
    try:
        pk = uuid.UUID(text)
    except ValueError:
        return None
    if kind == "upload":
        upload = Upload.objects.filter(pk=pk, owner=user).first()
        if upload is None:
            return None
        return KeptPhoto(ref=ref, key=upload.key, url=reverse("swaps:upload", args=[pk]))
    if kind != "swap":
        return None
    swap = Swap.objects.visible_to(user).filter(pk=pk).first()
    key = swap and (swap.source_key if photo == "source" else swap.target_key)
    if not key:  # not fetched yet, or removed after the swap failed
        return None
    return KeptPhoto(ref=ref, key=key, url=reverse("swaps:thumb", args=[pk, photo]))


class SwapForm(forms.Form):
    """Requests a swap. After ``is_valid()`` the two pictures, ready to store, are in ``photos``."""

    source_image = forms.FileField(required=False, allow_empty_file=True, label="Face photo")
    target_image = forms.FileField(required=False, allow_empty_file=True, label="Target photo")
    source_kept = forms.CharField(required=False, max_length=100)
    target_kept = forms.CharField(required=False, max_length=100)
    consent = forms.BooleanField(
        error_messages={"required": "Please confirm that you may use both pictures."},
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.overloaded: errors.Overloaded | errors.TooManyRequests | None = None
        self.photos: dict[str, images.Photo] = {}
        self.kept: dict[str, KeptPhoto | None] = dict.fromkeys(PHOTOS)

    def clean(self) -> dict[str, Any]:
        for photo in PHOTOS:
            self._read_photo(photo)
        return self.cleaned_data

    def keep_valid_photos(self) -> None:
        """Store the valid photos of a refused form, so that they need not be chosen again."""
        for photo in PHOTOS:
            if photo in self.photos and self.kept[photo] is None:
                try:
                    upload = keep_upload(self.user, self.photos[photo])
                except errors.UsedUp:  # it has to be chosen again
                    continue
                self.kept[photo] = find_kept_photo(self.user, photo, f"upload.{upload.pk}")

    def _read_photo(self, photo: str) -> None:
        """Read one photo; a file that was chosen anew wins over the kept one."""
        field = f"{photo}_image"
        upload: Any = self.cleaned_data.get(field)
        if upload is None:
            self._read_kept(photo)
            return
        try:
            self.photos[photo] = images.accept(
                upload,
                size=upload.size or 0,
                max_bytes=settings.FACESWAP_MAX_UPLOAD_BYTES,
                max_pixels=settings.FACESWAP_MAX_PIXELS,
                reserve=budget.for_account(self.user.pk),
            )
        except (errors.Overloaded, errors.TooManyRequests) as error:
            self.overloaded = error
            self.add_error(None, f"The {PHOTO_NAMES[photo]} could not be opened. {error.message}")
        except images.ImageRefused as error:
            self.add_error(field, f"The {PHOTO_NAMES[photo]} cannot be used. {error.message}")

    def _read_kept(self, photo: str) -> None:
        ref = self.cleaned_data.get(f"{photo}_kept") or ""
        self.kept[photo] = kept = find_kept_photo(self.user, photo, ref) if ref else None
        if kept:
            try:
                self.photos[photo] = load_photo(kept.key)
            except (FileNotFoundError, images.ImageRefused):  # deleted meanwhile
                self.kept[photo] = None
            else:
                return
        if f"{photo}_image" not in self.errors:
            self.add_error(f"{photo}_image", f"Choose a {PHOTO_NAMES[photo]}.")
