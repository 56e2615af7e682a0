"""The form of a new swap: two photos, the faces in them, and the user's consent."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from swaps import errors, images
from swaps.lifecycle.photos import load_photo
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Provider, Upload, User
from swaps.models.swap_pairs import MAX_PAIRS, Pair, Point, one_pair
from swaps.views.forms.photos import (
    PHOTO_NAMES,
    PLACES,
    KeptPhoto,
    accept_file,
    find_kept_photo,
    kept_upload,
)


class FaceField(forms.CharField):
    """A point on a face, as ``x,y`` from 0 to 1 of the picture's width and height; or None."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=50)

    def clean(self, value: Any) -> Point | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            x, y = map(float, text.split(","))
        except ValueError:
            x = y = -1
        if not (0 <= x <= 1 and 0 <= y <= 1):
            raise ValidationError("Choose the face once more.")
        return [x, y]


class SwapForm(forms.Form):
    """Requests a swap. After ``is_valid()`` the two pictures, ready to store, are in ``photos``.

    A photo is a file, or one that is here already (`find_kept_photo`). ``has_consented``: the user
    has confirmed in this session that they may use their pictures.
    """

    source_image = forms.FileField(required=False, allow_empty_file=True, label="Face photo")
    target_image = forms.FileField(required=False, allow_empty_file=True, label="Target photo")
    source_photo = forms.CharField(required=False, max_length=100)
    target_photo = forms.CharField(required=False, max_length=100)
    source_face = FaceField()
    target_face = FaceField()
    target_faces = forms.ChoiceField(required=False, choices=[("all", "all")])
    consent = forms.BooleanField(
        error_messages={"required": "Please confirm that you may use both pictures."},
    )

    def __init__(self, user: User, *args: Any, has_consented: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["consent"].required = not has_consented
        self.overloaded: errors.Overloaded | errors.TooManyRequests | None = None
        self.photos: dict[str, images.Photo] = {}
        self.kept: dict[str, KeptPhoto | None] = dict.fromkeys(PLACES)
        self.more_photos: list[images.Photo] = []
        self.more_kept: list[KeptPhoto] = []
        self.more_pairs: list[Pair] = []

    def clean(self) -> dict[str, Any]:
        for place in PLACES:
            self._read_photo(place)
        texts = self.data.getlist("pair") if hasattr(self.data, "getlist") else []
        for text in texts[: MAX_PAIRS - 1]:
            self._read_pair(text)
        return self.cleaned_data

    @property
    def pairs(self) -> list[Pair]:
        """The faces that were chosen, as a swap keeps them."""
        data = self.cleaned_data
        target = data.get("target_faces") or data.get("target_face")
        source = data.get("source_face")
        if not self.more_pairs:
            return one_pair(source, target)
        return [Pair(source=0, source_face=source, target_face=target), *self.more_pairs]

    @property
    def undecided(self) -> list[str]:
        """The places whose photo shows several faces, of which none was chosen.

        A hosted provider cannot be told which face of the target is meant.
        """
        is_chosen = {
            "source": bool(self.cleaned_data.get("source_face")),
            "target": any(self.cleaned_data.get(f"target_{end}") for end in ("face", "faces")),
        }
        is_hosted = settings.FACESWAP_PROVIDER == Provider.HOSTED
        asked = PLACES[:1] if is_hosted else PLACES
        return [place for place in asked if len(self.faces(place)) > 1 and not is_chosen[place]]

    def faces(self, place: str) -> list[dict[str, Any]]:
        """Return the faces of a photo that was sent ahead and looked at, largest first."""
        upload = self._upload(place)
        return upload.faces if upload else []

    @property
    def uploads(self) -> list[Upload]:
        """The photos that were sent ahead, or kept by `keep_valid_photos`."""
        return [upload for place in PLACES if (upload := self._upload(place))]

    def keep_valid_photos(self, *, with_copies: bool = False) -> None:
        """Store the valid photos that were sent, so that they need not be chosen again.

        ``with_copies``: those of earlier swaps as well, so that they can be looked at.
        """
        for place in PLACES:
            is_here = self._upload(place) if with_copies else self.kept[place]
            if place in self.photos and not is_here:
                try:
                    upload = keep_upload(self.user, self.photos[place])
                except errors.UsedUp:  # it has to be chosen again
                    continue
                self.kept[place] = kept_upload(upload)

    def _upload(self, place: str) -> Upload | None:
        kept = self.kept[place]
        return kept.upload if kept else None

    def _read_photo(self, place: str) -> None:
        """Read one photo; a file that was chosen anew wins over the kept one."""
        field = f"{place}_image"
        file: Any = self.cleaned_data.get(field)
        if file is None:
            self._read_kept(place)
            return
        try:
            self.photos[place] = accept_file(file, self.user)
        except (errors.Overloaded, errors.TooManyRequests) as error:
            self.overloaded = error
            self.add_error(None, f"The {PHOTO_NAMES[place]} could not be opened. {error.message}")
        except images.ImageRefused as error:
            self.add_error(field, f"The {PHOTO_NAMES[place]} cannot be used. {error.message}")

    def _read_pair(self, text: str) -> None:
        """Read a further face: the photo that shows it, the face in it, and where it goes."""
        ref, *points = [*text.split(";"), "", ""][:3]
        kept = find_kept_photo(self.user, "source", ref)
        try:
            source, target = (FaceField().clean(point) for point in points)
            photo = load_photo(kept.key) if kept else None
        except (FileNotFoundError, images.ImageRefused, ValidationError):
            photo = target = None
        if kept is None or photo is None or target is None:
            self.add_error(None, "One of the further faces is not here any more. Add it again.")
            return
        self.more_kept.append(kept)
        self.more_photos.append(photo)
        number = len(self.more_photos)
        self.more_pairs.append(Pair(source=number, source_face=source, target_face=target))

    def _read_kept(self, place: str) -> None:
        ref = self.cleaned_data.get(f"{place}_photo") or ""
        self.kept[place] = kept = find_kept_photo(self.user, place, ref) if ref else None
        if kept:
            try:
                self.photos[place] = load_photo(kept.key)
            except (FileNotFoundError, images.ImageRefused):  # deleted meanwhile
                self.kept[place] = None
            else:
                return
        if f"{place}_image" not in self.errors:
            self.add_error(f"{place}_image", f"Choose a {PHOTO_NAMES[place]}.")
