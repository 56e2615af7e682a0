"""Makes the lighter kinds of the first page's pictures: python -m tools.demo_pictures.

Each JPEG stays beside them, for the API's samples and for browsers that know neither.
"""

from pathlib import Path
from typing import Any

from PIL import Image

from swaps.provenance import xmp

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img" / "demo"
SHOWN = [f"{number}-{name}" for number in (1, 3) for name in ("face", "photo", "result")]
WIDTHS = (360, 720)
KINDS: dict[str, dict[str, Any]] = {
    "avif": {"quality": 50, "speed": 4},
    "webp": {"quality": 78, "method": 6},
}


def main() -> None:
    """Write each picture that the first page shows in both kinds and widths."""
    for name in SHOWN:
        with Image.open(FOLDER / f"{name}.jpg") as picture:
            for width in WIDTHS:
                small = picture.resize((width, width), Image.Resampling.LANCZOS)
                mark: dict[str, Any] = {"xmp": xmp.ai_xmp()} if name.endswith("result") else {}
                for kind, options in KINDS.items():
                    small.save(FOLDER / f"{name}-{width}.{kind}", **options, **mark)


if __name__ == "__main__":
    main()
