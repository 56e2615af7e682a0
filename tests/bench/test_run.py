from pathlib import Path

from PIL import Image

from bench.choose_pairs import Pair
from bench.pictures.run import run
from tests.paths import NO_FACE, PHOTOS, ROOT, SOURCE, TARGET

METHODS = ("after", "seamless", "affine")


def test_each_method_swaps_each_pair_and_is_measured(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for path in (SOURCE, TARGET, NO_FACE):
        with Image.open(PHOTOS / path.name) as image:
            image.reduce(3).save(photos / path.name)
    judged: list[list[str]] = []

    def judge(triples: list[list[str]]) -> list[list[float | None]]:
        judged.extend(triples)
        return [[0.4, None] for _ in triples]

    records = run(
        [pair(SOURCE, TARGET), pair(NO_FACE, TARGET)], photos, out,
        root=ROOT, methods=METHODS, before="", judge=judge,
    )  # fmt: skip

    done, failed = records[: len(METHODS)], records[len(METHODS) :]
    assert [record["method"] for record in records] == [*METHODS, *METHODS]
    assert all("no face" in record["error"] for record in failed)
    assert [triple[0] for triple in judged] == [record["result"] for record in done]
    for record in done:
        assert record["to_source"] == 0.4
        assert record["ms"] > 0
        assert 0 < record["landmarks_moved"] < 10
    assert done[0]["outside"] == 0
    assert 0 <= done[0]["score"] <= 1
    assert len({record["digest"] for record in done}) == len(METHODS)


def pair(source: Path, target: Path) -> Pair:
    return {
        "source": source.name,
        "target": target.name,
        "kinds": ["ordinary"],
        "dark_source": False,
        "dark_target": False,
    }
