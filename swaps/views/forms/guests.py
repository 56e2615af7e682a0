"""The form with which a guest tries the site: samples, or photos of one's own."""

from typing import Any

from django import forms
from django.core.files.base import ContentFile

from swaps.views.forms.photos import PLACES
from swaps.views.forms.swaps import SwapForm
from swaps.views.samples import BY_PLACE


def _sample_field(place: str) -> forms.ChoiceField:
    choices = [(sample.name, sample.alt) for sample in BY_PLACE[place]]
    return forms.ChoiceField(choices=choices, required=False)


class TryForm(SwapForm):
    """Requests a swap of two pictures. A file that was chosen wins over a sample."""

    source_sample = _sample_field("source")
    target_sample = _sample_field("target")

    def chosen_sample(self, place: str) -> str:
        """Return the sample that is chosen for a place when the page is shown."""
        if self.kept[place]:
            return ""
        if self.is_bound:
            return str(self.data.get(f"{place}_sample", ""))
        return BY_PLACE[place][0].name

    def keep_valid_photos(self, *, with_copies: bool = False) -> None:
        """Keep the photos of one's own; samples are always there."""
        self.photos = {
            name: photo for name, photo in self.photos.items() if name not in self.sampled
        }
        super().keep_valid_photos(with_copies=with_copies)

    def clean(self) -> dict[str, Any]:
        self.sampled = {place for place in PLACES if self._open_sample(place)}
        return super().clean()

    def _open_sample(self, place: str) -> bool:
        field = f"{place}_image"
        chosen = self.cleaned_data.get(f"{place}_sample")
        if field in self.errors or self.cleaned_data.get(field) is not None:
            return False
        for sample in BY_PLACE[place]:
            if sample.name == chosen:
                self.cleaned_data[field] = ContentFile(sample.path.read_bytes(), sample.path.name)
                return True
        return False
