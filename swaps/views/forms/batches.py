"""The form of a batch: one face, many photos, and the user's consent."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone
from django.utils.datastructures import MultiValueDict

from swaps import errors, images
from swaps.accounts import rate_limit
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Upload, User
from swaps.models.labels import MAX_NAME
from swaps.models.swap_pairs import Pair, one_pair
from swaps.views.forms.photos import KeptPhoto, accept_file, find_kept_photo, kept_upload
from swaps.views.forms.swaps import FaceField


class BatchForm(forms.Form):
    """Requests a batch. After ``is_valid()`` face and photos are in ``source`` and ``photos``.

    Each is a file, or one that is here already: ``source_photo`` and any number of ``photo``, as
    `find_kept_photo` knows them. A file is stored as it is read, so that 20 of them never fill the
    memory, and a good one need not be sent again when another one is refused.
    """

    source_image = forms.FileField(required=False, allow_empty_file=True)
    source_photo = forms.CharField(required=False, max_length=100)
    source_face = FaceField()
    name = forms.CharField(required=False, max_length=MAX_NAME)
    consent = forms.BooleanField(
        error_messages={"required": "Please confirm that you may use these pictures."},
    )

    def __init__(
        self,
        user: User,
        data: Any = None,
        files: MultiValueDict[str, Any] | None = None,
        *,
        has_consented: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(data, files, **kwargs)
        self.user = user
        self.fields["consent"].required = not has_consented
        self.busy: errors.SwapError | None = None  # why a photo could not be opened now
        self.source: KeptPhoto | None = None
        self.photos: list[KeptPhoto] = []
        self._chosen = list(dict.fromkeys(data.getlist("photo"))) if data else []
        self._sent: Sequence[Any] = files.getlist("target_images") if files else []

    def take_kept(self, named: QueryDict) -> None:
        """Show the photos that are here already, without checking anything."""
        self.source = find_kept_photo(self.user, "source", named.get("source_photo", ""))
        chosen = list(dict.fromkeys(named.getlist("photo")))
        self.photos = find_kept_photos(self.user, chosen[: settings.FACESWAP_MAX_BATCH])

    @property
    def pairs(self) -> list[Pair]:
        """The face that was chosen in the face photo, as a swap keeps it."""
        return one_pair(self.cleaned_data.get("source_face"))

    def clean(self) -> dict[str, Any]:
        file = self.cleaned_data.get("source_image")
        if file is not None:
            self.source = self._keep(file, "source_image", "The face photo")
        else:
            ref = self.cleaned_data.get("source_photo") or ""
            self.source = find_kept_photo(self.user, "source", ref)
        if self.source is None and not self.busy and "source_image" not in self.errors:
            self.add_error("source_image", "Choose a face photo.")
        self._read_photos()
        return self.cleaned_data

    def _read_photos(self) -> None:
        most = settings.FACESWAP_MAX_BATCH
        self.photos = find_kept_photos(self.user, self._chosen[:most])
        if gone := len(self._chosen[:most]) - len(self.photos):
            self.add_error(None, f"{_photos(gone)} no longer here. Choose again.")
        room = most - len(self.photos)
        for file in self._sent[:room]:
            if self.busy:
                break
            if kept := self._keep(file, None, f"“{file.name}”"):
                self.photos.append(kept)
        if left_out := max(0, len(self._sent) + len(self._chosen) - most):
            self.add_error(None, f"{most} photos fit into one batch: {_photos(left_out)} left out.")
        if not (self.photos or self._chosen or self._sent):
            self.add_error(None, "Choose at least one photo to put the face into.")

    def _keep(self, file: Any, field: str | None, title: str) -> KeptPhoto | None:
        """Check and store one file; note why it cannot be used."""
        try:
            _count_photo(self.user)
            return kept_upload(keep_upload(self.user, accept_file(file, self.user)))
        except images.ImageRefused as error:
            self.add_error(field, f"{title} cannot be used. {error.message}")
        except errors.SwapError as error:
            self.busy = error
            self.add_error(None, f"{title} could not be taken. {error.message}")
        return None


def find_kept_photos(user: User, refs: Sequence[str]) -> list[KeptPhoto]:
    """Return the user's photos among those that are named; uploads by one query."""
    pks = [pk for ref in refs if (pk := _uuid(ref))]
    uploads = {upload.pk: upload for upload in Upload.objects.filter(owner=user, pk__in=pks)}
    found = []
    for ref in refs:
        pk = _uuid(ref)
        if pk in uploads:
            found.append(kept_upload(uploads[pk]))
        elif not pk and (photo := find_kept_photo(user, "target", ref)):
            found.append(photo)
    return found


def _count_photo(user: User) -> None:
    now = timezone.now()
    rate, may_send = rate_limit.count_photo(user, now)
    if not may_send:
        raise rate_limit.refusal(rate, now, "pictures")


def _photos(count: int) -> str:
    return "1 photo is" if count == 1 else f"{count} photos are"


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
