"""Benchmark of one swap, warm and on one thread: stages, total, codec, memory.

Times are CPU times: on one thread they equal the wall time of an idle core, whatever else runs.

    python bench/engine.py [PHOTOS]      (default: ../shared/photos)

Each case runs in its own process, so its peak resident memory is the case's. Baselines in the same
run: the site's decode and encode alone, and a textbook swap: convex hull of 68-odd landmarks,
piecewise affine warp, cv2.seamlessClone.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from swaps import images  # noqa: E402
from swaps.engines.classical import Engine, mesh  # noqa: E402
from swaps.engines.classical.types import Landmarks, Picture  # noqa: E402

CASES = {  # name: source, target, megapixels of the target, runs
    "portrait 1 MP": ("face-man-frontal", "face-man-beard-smile", 1, 21),
    "group 2 MP": ("face-man-frontal", "group-two-people", 2, 11),
    "portrait 12 MP": ("face-man-frontal", "face-woman-close-up", 12, 9),
}
STAGES = ("detect", "align", "warp", "front", "colour", "detail", "blend")
NAIVE_POINTS = sorted(
    {*mesh.OVAL[::2], *mesh.RIGHT_BROW[::2], *mesh.LEFT_BROW[::2], *mesh.LIPS, *mesh.MOUTH[::2]}
    | {*mesh.RIGHT_EYE[::3], *mesh.LEFT_EYE[::3], 1, 4, 6, 98, 327}
)


def main() -> None:
    arguments = sys.argv[1:]
    if arguments[:1] == ["--case"]:
        print(json.dumps(measure(arguments[1], Path(arguments[2]))))
        return
    photos = Path(arguments[0] if arguments else ROOT.parent / "shared" / "photos")
    table = {name: _in_process(name, photos) for name in CASES}
    print("median CPU ms".ljust(18) + "".join(f"{name:>16}" for name in table))
    for row in next(iter(table.values())):
        print(row.ljust(18) + "".join(f"{figures[row]:16.1f}" for figures in table.values()))
    print(json.dumps(table))
    out = ROOT / "bench-results"
    out.mkdir(exist_ok=True)
    (out / "engine.json").write_text(json.dumps(table, indent=2), encoding="utf-8")


def _in_process(name: str, photos: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--case", name, str(photos)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def measure(name: str, photos: Path) -> dict[str, float]:
    source_name, target_name, megapixels, runs = CASES[name]
    source = (photos / f"{source_name}.jpg").read_bytes()
    target = _jpeg(photos / f"{target_name}.jpg", megapixels)
    engine = Engine(ROOT / "var" / "models")
    engine.swap(_decode(source), _decode(target))

    stages: list[list[float]] = []
    totals, codecs = [], []
    for _ in range(runs):
        marks: list[float] = []
        start = time.process_time()
        pictures = _decode(source), _decode(target)
        output = engine.swap(*pictures, _stopwatch(marks))
        swapped = time.process_time()
        _encode(Image.fromarray(output.image))
        end = time.process_time()
        marks.append(swapped)
        stages.append([b - a for a, b in pairwise(marks)])
        totals.append(end - start)
        codecs.append(_timed(lambda: (_decode(source), _encode(_decode(target)))))
        del output, pictures
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    columns = zip(*stages, strict=True)
    figures = {s: 1e3 * statistics.median(c) for s, c in zip(STAGES, columns, strict=True)}
    total, codec = 1e3 * statistics.median(totals), 1e3 * statistics.median(codecs)
    return figures | {
        "total with codec": total,
        "decode + encode": codec,
        "ratio": statistics.median(t / c for t, c in zip(totals, codecs, strict=True)),
        "peak RSS, MB": peak,
        "naive with codec": codec + 1e3 * _naive_median(engine, source, target),
    }


def _naive_median(engine: Engine, source: bytes, target: bytes) -> float:
    a, b = np.asarray(_decode(source)), np.asarray(_decode(target))
    return statistics.median(_timed(lambda: naive_swap(engine, a, b)) for _ in range(3))


def naive_swap(engine: Engine, source: Picture, target: Picture) -> Picture:
    """Swap as in a textbook, with some 68 of our landmarks and at the picture's own resolution."""
    points, goal = (_landmarks(engine, picture)[NAIVE_POINTS, :2] for picture in (source, target))
    rows, columns = target.shape[:2]
    warped = np.zeros_like(target)
    division = cv2.Subdiv2D((-columns, -rows, 3 * columns, 3 * rows))
    for x, y in goal:
        division.insert((float(x), float(y)))
    for corners in np.asarray(division.getTriangleList()).reshape(-1, 3, 2):
        numbers = [int(np.abs(goal - corner).sum(1).argmin()) for corner in corners]
        if np.abs(goal[numbers] - corners).max() > 1:
            continue
        low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
        high = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, [columns, rows])
        affine = cv2.getAffineTransform(points[numbers], (corners - low).astype(np.float32))
        patch = cv2.warpAffine(source, affine, tuple((high - low).tolist()))
        inside = np.zeros(patch.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, np.round(corners - low).astype(np.int32), 1)
        cv2.copyTo(patch, inside, warped[low[1] : high[1], low[0] : high[0]])
    hull = cv2.convexHull(np.round(goal).astype(np.int32))
    mask = cv2.fillConvexPoly(np.zeros((rows, columns), np.uint8), hull, 255)
    x, y, width, height = cv2.boundingRect(hull)
    centre = (x + width // 2, y + height // 2)
    return np.asarray(cv2.seamlessClone(warped, target, mask, centre, cv2.NORMAL_CLONE), np.uint8)


def _landmarks(engine: Engine, picture: Picture) -> Landmarks:
    face, _ = engine._finder.largest(picture)  # noqa: SLF001
    if face is None:
        raise SystemExit("the bench's photo shows no face")
    return face.landmarks


def _jpeg(path: Path, megapixels: int) -> bytes:
    with Image.open(path) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = round(image.width * scale), round(image.height * scale)
        return _encode(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))


def _decode(data: bytes) -> Image.Image:
    return images.open_photo(data, max_pixels=50_000_000)


def _stopwatch(marks: list[float]) -> Callable[[str], None]:
    return lambda _stage: marks.append(time.process_time())


def _encode(picture: Image.Image) -> bytes:
    return images.encode(picture, "jpeg")


def _timed(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
