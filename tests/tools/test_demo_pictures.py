"""The lighter kinds of the first page's pictures are those of the JPEGs beside them."""

import pytest
from PIL import Image, ImageChops, ImageStat

from swaps.provenance import xmp
from tools.demo_pictures import FOLDER, KINDS, SHOWN, WIDTHS


@pytest.mark.parametrize("name", SHOWN)
def test_each_kind_and_width_shows_the_same_picture(name: str) -> None:
    with Image.open(FOLDER / f"{name}.jpg") as full:
        for width in WIDTHS:
            wanted = full.resize((width, width))
            for kind in KINDS:
                path = FOLDER / f"{name}-{width}.{kind}"
                with Image.open(path) as light:
                    difference = ImageStat.Stat(ImageChops.difference(light, wanted)).mean
                assert max(difference) < 4, path.name
                assert (xmp.ai_xmp() in path.read_bytes()) == name.endswith("result"), path.name
                assert path.stat().st_size < (FOLDER / f"{name}.jpg").stat().st_size / 2
