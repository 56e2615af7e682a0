"""Benchmark of face orientation: whether faces are found the right way up at every angle.

    python -m bench.rotation [PHOTOS]      (default: ../shared/photos; subfolders count)

Every photo is rotated by 0…345° in steps of 15°, on a larger grey canvas. The true direction is
that of the upright photo's own mesh, rotated by the same angle. A face counts as upright if the
mesh that the engine finds is within 30° of that and in its place (mean distance below .15 of the
face's width), and as the wrong way up beyond 90°. In photos of several people any face counts.

Photos in which no face is found upright are listed and left out; so are, as sources, those whose
face is not whole.
"""

import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from swaps.engines.classical.faces import FaceFinder  # noqa: E402
from swaps.engines.classical.types import AnyArray, Landmarks, Picture  # noqa: E402

STEP = 15
SIDE = 1000  # pixels: what larger photos are reduced to
UPRIGHT, WRONG_WAY = 30.0, 90.0  # degrees
IN_PLACE = 0.15  # of the face's width
Orientation = Literal["upright", "wrong way", "elsewhere", "no face"]
# Commit 80976fa, which did not search rotated copies; the same for source and target.
BEFORE: dict[str, dict[Orientation, int]] = {
    "before": {"upright": 1062, "wrong way": 451, "elsewhere": 12, "no face": 347}
}


def main() -> None:
    photos = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "photos")
    finder = FaceFinder(ROOT / "var" / "models", 1)
    counts = {role: Counter[Orientation]() for role in ("target", "source")}
    failures: list[str] = []
    left_out = []
    for path in sorted(photos.rglob("*.jpg")):
        picture = _open(path)
        for role, outcomes in counts.items():
            upright = _all_faces(finder, picture, role)
            if not upright:
                left_out.append(f"{path.stem} ({role})")
                continue
            for degrees in range(0, 360, STEP):
                outcome = _orientation(finder, picture, upright, degrees, role)
                outcomes[outcome] += 1
                if outcome != "upright":
                    failures.append(f"{path.stem} {degrees}° {role}: {outcome}")
    _report(counts, failures, left_out)


def _open(path: Path) -> Picture:
    with Image.open(path) as image:
        image.thumbnail((SIDE, SIDE))
        return np.asarray(image.convert("RGB"))


def _all_faces(finder: FaceFinder, picture: Picture, role: str) -> list[Landmarks]:
    if role == "source" and finder.largest(picture, must_be_whole=True)[0] is None:
        return []
    return finder.all(picture)


def _orientation(
    finder: FaceFinder, picture: Picture, upright: list[Landmarks], degrees: int, role: str
) -> Orientation:
    turned, to_turned = turn(picture, degrees)
    face, _ = finder.largest(turned, must_be_whole=role == "source")
    if face is None:
        return "no face"
    found = face.landmarks[:, :2]
    expected = [mesh[:, :2] @ to_turned[:, :2].T + to_turned[:, 2] for mesh in upright]
    nearest = min(expected, key=lambda mesh: float(np.linalg.norm((mesh - found).mean(0))))
    error = abs(math.remainder(up_direction(found) - up_direction(nearest), 360))
    if error > WRONG_WAY:
        return "wrong way"
    distance = np.linalg.norm(found - nearest, axis=1).mean()
    width = np.ptp(nearest @ to_turned[:, :2], axis=0)[0]
    return "upright" if error <= UPRIGHT and distance <= IN_PLACE * width else "elsewhere"


def turn(picture: Picture, degrees: int) -> tuple[Picture, AnyArray]:
    """Rotate clockwise on a larger grey canvas; return the picture and the matrix to it (2×3)."""
    rows, columns = picture.shape[:2]
    turned = Image.fromarray(picture).rotate(
        -degrees, Image.Resampling.BILINEAR, expand=True, fillcolor=(128, 128, 128)
    )
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.array([[c, -s], [s, c]])
    centre = np.array([turned.width, turned.height]) / 2 - matrix @ [columns / 2, rows / 2]
    return np.asarray(turned), np.column_stack([matrix, centre])


def up_direction(points: AnyArray) -> float:
    """Return the direction from chin to forehead, in degrees clockwise from upwards."""
    x, y = points[10, :2] - points[152, :2]
    return math.degrees(math.atan2(x, -y))


def _report(
    counts: dict[str, Counter[Orientation]], failures: list[str], left_out: list[str]
) -> None:
    outcomes: tuple[Orientation, ...] = ("upright", "wrong way", "elsewhere", "no face")
    print("\n".join(failures))
    print("left out:", ", ".join(left_out))
    print("".ljust(18) + "".join(f"{outcome:>12}" for outcome in outcomes) + "     upright %")
    figures: dict[str, dict[str, float]] = {}
    rows = [(role, dict(found)) for role, found in counts.items()]
    for name, found in [*rows, *BEFORE.items()]:
        share = 100 * found.get("upright", 0) / max(1, sum(found.values()))
        print(
            name.ljust(18) + "".join(f"{found.get(o, 0):12}" for o in outcomes) + f"{share:14.2f}"
        )
        figures[name] = {o: found.get(o, 0) for o in outcomes} | {
            "upright_percent": round(share, 2)
        }
    print(json.dumps(figures))
    out = ROOT / "bench-results"
    out.mkdir(exist_ok=True)
    (out / "rotation.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
