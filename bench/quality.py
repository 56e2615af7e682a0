"""Benchmark of identity: distances between 14 results and their sources and targets.

    python bench/quality.py [PHOTOS]      (default: ../shared/photos)

The judge is dlib's face recognition network (King 2017; .6 and less counts as the same person),
which no part of the site uses. It has its own venv, created under var/ at the first run.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from swaps.engines.classical import Engine  # noqa: E402

VENV = ROOT / "var" / "bench-venv"
RESULTS = ROOT / "var" / "bench" / "quality"
JUDGE_NEEDS = ("dlib-bin", "face-recognition-models", "setuptools<81", "numpy", "pillow")
SAME_PERSON = 0.6

PAIRS = (
    ("face-man-frontal", "face-man-beard-smile"),
    ("face-woman-frontal", "face-smiling-woman"),
    ("face-smiling-woman", "face-woman-dark-skin"),
    ("face-man-beard-smile", "face-man-frontal-young"),
    ("face-woman-dark-skin", "face-woman-smiling-frontal"),
    ("face-man-young", "face-man-warm-light"),
    ("face-neutral-woman-red-hair", "face-woman-frontal"),
    ("face-woman-close-up", "face-woman-curly-hair"),
    ("face-man-frontal-young", "face-man-jacket"),
    ("face-woman-smiling-frontal", "face-neutral-woman-red-hair"),
    ("face-man-frontal", "face-man-monochrome"),
    ("face-woman-curly-hair", "face-woman-hijab"),
    ("face-man-laughing", "group-two-people"),
    ("face-man-jacket", "face-man-glasses"),
)


def main() -> None:
    photos = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT.parent / "shared" / "photos")
    engine = Engine(ROOT / "var" / "models")
    RESULTS.mkdir(parents=True, exist_ok=True)
    triples = []
    for source, target in PAIRS:
        paths = [photos / f"{name}.jpg" for name in (source, target)]
        result = RESULTS / f"{source}--{target}.png"
        output = engine.swap(_open(paths[0]), _open(paths[1]))
        Image.fromarray(output.image).save(result)
        triples.append([str(result), *map(str, paths)])
    distances = judge(triples)
    _report(distances)


def _open(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def judge(triples: list[list[str]]) -> list[list[float | None]]:
    """Return the distances to source and target for paths of result, source and target."""
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *JUDGE_NEEDS], check=True)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    judge = Path(__file__).with_name("face_distance.py")
    answer = subprocess.run(
        [python, "-W", "ignore", judge, RESULTS.parent / "descriptors.json"],
        input=json.dumps(triples), text=True, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found: list[list[float | None]] = json.loads(answer.stdout)
    return found


def _report(distances: list[list[float | None]]) -> None:
    print(f"{'source':30}{'target':30}{'to source':>10}{'to target':>10}")
    judged = []
    for (source, target), (to_source, to_target) in zip(PAIRS, distances, strict=True):
        if to_source is None or to_target is None:
            print(f"{source:30}{target:30}   the judge finds no face")
            continue
        judged.append((to_source, to_target))
        print(f"{source:30}{target:30}{to_source:10.3f}{to_target:10.3f}")
    means = np.mean(judged, axis=0)
    figures = {
        "pairs": len(PAIRS),
        "judged": len(judged),
        "mean_to_source": round(float(means[0]), 3),
        "mean_to_target": round(float(means[1]), 3),
        "nearer_to_source": sum(source < target for source, target in judged),
        "same_person": sum(source < SAME_PERSON for source, _ in judged),
    }
    print(json.dumps(figures))
    out = ROOT / "bench-results"
    out.mkdir(exist_ok=True)
    (out / "quality.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
