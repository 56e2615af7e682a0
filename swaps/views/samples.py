"""Sample pictures with which guests may try the site; they lie in ``static/img/samples/``."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A picture in the public domain. ``name`` is that of its files, ``alt`` what it shows."""

    name: str
    alt: str

    @property
    def path(self) -> Path:
        """The picture itself; beside it lies a small copy for pages, ``.webp``."""
        folder: Path = settings.BASE_DIR / "static" / "img" / "samples"
        return folder / f"{self.name}.jpg"


FACES = (
    Sample(name="face-1", alt="A woman with long black hair"),
    Sample(name="face-2", alt="A man with short grey hair"),
    Sample(name="face-3", alt="A woman with dark curls"),
    Sample(name="face-4", alt="A young man in a rain jacket"),
    Sample(name="face-5", alt="A blonde woman who smiles"),
    Sample(name="face-6", alt="A man who laughs"),
)
PHOTOS = (
    Sample(name="photo-1", alt="A woman with red hair at a lake"),
    Sample(name="photo-2", alt="A man with curls who smiles, in black and white"),
    Sample(name="photo-3", alt="A woman in a woolly hat in the snow"),
    Sample(name="photo-4", alt="An older man with glasses"),
    Sample(name="photo-5", alt="A woman in a patterned headscarf in a field"),
    Sample(name="photo-6", alt="A woman in a wide black hat at the sea"),
)
BY_PLACE = {"source": FACES, "target": PHOTOS}
