import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from PIL import Image

from bench.pictures import baselines, blind, judgements, measures, parse_map, report, tables
from bench.pictures.run import read_pairs
from swaps.engines.classical import Engine
from swaps.engines.classical.mesh import CANONICAL
from swaps.engines.classical.parse import BARE, GLASSES, Parse
from swaps.engines.classical.square import to_square
from swaps.engines.classical.types import Landmarks, Picture


def record(number: int = 1, method: str = "after", **changes: Any) -> tables.Record:
    digest = f"{method}{number}"
    made = {
        "source": f"{number}-source.jpg", "target": f"{number}-target.jpg",
        "kinds": ["tone", "light"], "dark_source": False, "dark_target": False,
        "method": method, "digest": digest, "code": blind.code_of(digest, "salt"),
        "to_source": 0.5, "to_target": 0.7, "outside": 0.0, "ms": 100.0, "landmarks_moved": 1.0,
        "source_face": "faces/s.jpg", "target_face": "faces/t.jpg", "result_face": "faces/r.jpg",
        "source_parse": "parses/s.jpg", "target_parse": "parses/t.jpg",
    }  # fmt: skip
    return made | changes


def judgement(digest: str, *, clean: bool, person: bool, judge: str = "ann") -> dict[str, Any]:
    return {"digest": digest, "judge": judge, "clean": clean, "person": person}


# Pairs and splits


def test_a_limit_takes_pairs_from_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps([{"source": str(number)} for number in range(60)]), encoding="utf-8")
    assert [pair["source"] for pair in read_pairs(path, 3)] == ["0", "20", "40"]
    assert len(read_pairs(path, None)) == len(read_pairs(path, 100)) == 60


def test_a_pair_counts_in_each_of_its_kinds_and_by_skin() -> None:
    rows = [record(1), record(2, kinds=["light"], dark_target=True)]
    sizes = {name: len(part) for name, part in tables.splits(rows).items()}
    assert sizes == {
        "all": 2, "light": 2, "tone": 1,
        "dark source": 0, "dark target": 1, "dark skin": 1, "no dark skin": 1,
    }  # fmt: skip


def test_shares_are_of_the_pairs_that_were_measured_or_judged() -> None:
    rows = [
        record(1, clean=1, person=1, both=1),
        record(2, clean=1, person=0, both=0, to_source=0.7),
        record(3, to_source=0.55, to_target=0.5),
        record(4, to_source=None),
    ]
    found = tables.figures(rows)
    assert (found["pairs"], found["measured"], found["judged"]) == (4, 3, 2)
    assert (found["same"], found["nearer"]) == (66.7, 33.3)
    assert (found["clean"], found["person"], found["both"]) == (100, 50, 50)
    assert found["clean_same"] == 50
    assert (found["to_source"], found["ms"]) == (0.583, 100)


def test_the_score_is_held_against_what_people_said() -> None:
    said = [(0.9, True), (0.6, False), (0.7, True), (0.8, False)]
    rows = [record(score=score, clean=good, person=1, both=good) for score, good in said]
    assert tables.figures(rows)["score_auc"] == 0.75
    assert tables.figures(rows[:1])["score_auc"] is None


def test_figures_of_nothing_are_none_and_a_table_shows_the_others() -> None:
    assert tables.figures([])["clean"] is None
    shown = tables.text(tables.summary([record(1), record(1, "before", ms=250.0)]))
    assert "before" in shown.splitlines()[0]
    assert "clean" not in shown
    assert "250" in shown


# Judging


def test_the_form_and_the_sheets_do_not_show_the_method(tmp_path: Path) -> None:
    records = [record(n, method) for n in range(5) for method in ("before", "after")]
    key = blind.key_of(records)
    (tmp_path / "faces").mkdir()
    Image.new("RGB", (420, 420)).save(tmp_path / "faces" / "face.jpg")
    face = "faces/face.jpg"
    items = [{"code": c, "source": face, "target": face, "result": face} for c in key]
    page = blind.write_form(tmp_path, items).read_text(encoding="utf-8")
    assert all(code in page for code in key)
    assert not any(r["digest"] in page or f'"{r["method"]}"' in page for r in records)
    assert "http" not in page
    assert blind.write_sheets(tmp_path, items) == 3
    with Image.open(tmp_path / "sheet-01.png") as sheet:
        assert sheet.width == 3 * blind.SIDE >= 900


def test_codes_shuffle_the_pictures_and_need_the_salt() -> None:
    records = [record(n, method) for n in range(30) for method in ("before", "after")]
    key = blind.key_of(records)
    order = [each["method"] for each in key.values()]
    assert sorted(order) != order
    assert [each["digest"] for each in key.values()] != [r["digest"] for r in records]
    assert len(key) == 60
    assert blind.code_of("after1", "salt") != blind.code_of("after1", "another salt")


def test_the_same_picture_by_two_methods_is_judged_once_and_failures_never() -> None:
    same = record(1), record(1, "before", digest="after1", code=record(1)["code"])
    assert len(blind.key_of([*same, {"error": "no face"}])) == 1


def test_the_salt_is_made_once(tmp_path: Path) -> None:
    assert blind.salt(tmp_path / "new" / "salt") == blind.salt(tmp_path / "new" / "salt")


def test_answers_become_judgements_that_name_the_picture(tmp_path: Path) -> None:
    key = blind.key_of([record(1), record(2)])
    code = record(2)["code"]
    answers = {"judge": "ann", "answers": {code: {"clean": True, "person": False}}}
    found = judgements.resolve(answers, key)
    assert found == [
        {
            "digest": "after2", "source": "2-source.jpg", "target": "2-target.jpg",
            "method": "after", "judge": "ann", "clean": True, "person": False,
        }
    ]  # fmt: skip
    judgements.save(found, tmp_path, "ann")
    assert judgements.load(tmp_path) == found


@pytest.mark.parametrize(
    "answers", [{"NOSUCH": {"clean": True, "person": True}}, {"code": {"clean": True}}]
)
def test_unknown_codes_and_halves_of_answers_are_refused(answers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"NOSUCH|true or false"):
        judgements.resolve({"judge": "ann", "answers": answers}, {"code": {}})


def test_a_verdict_is_the_share_of_the_judges() -> None:
    given = [
        judgement("after1", clean=True, person=False),
        judgement("after1", clean=True, person=True, judge="bob"),
        judgement("another", clean=True, person=True),
    ]
    first, second, failed = judgements.merge(
        [record(1), record(2), {"error": "no face was found"}], given
    )
    assert (first["clean"], first["person"], first["both"]) == (1, 0.5, 0.5)
    assert "clean" not in second
    assert (failed["clean"], failed["person"], failed["both"]) == (0, 0, 0)


def test_a_digest_is_of_pixels_and_shape() -> None:
    picture = np.zeros((4, 6, 3), np.uint8)
    assert judgements.digest(picture) == judgements.digest(picture.copy())
    assert judgements.digest(picture) != judgements.digest(picture.reshape(6, 4, 3))


def test_the_report_shows_figures_pairs_and_verdicts(tmp_path: Path) -> None:
    rows = [record(1, clean=1, person=0, both=0), {**record(1, "before"), "error": "no <face>"}]
    page = report.write(tmp_path, rows, tables.summary(rows)).read_text(encoding="utf-8")
    assert "blind/faces/r.jpg" in page
    assert "clean 100%, the person 0%" in page
    assert "no &lt;face&gt;" in page
    assert 'src="parses/t.jpg"' in page


def test_a_parse_is_drawn_where_something_is_in_front_and_nowhere_else() -> None:
    class AsIfOne:
        """Says that the right half of the square around the face is glasses."""

        @staticmethod
        def _parse(_picture: Picture, landmarks: Landmarks) -> Parse:
            maps = np.zeros((192, 192, 4), np.float32)
            maps[:, 96:, GLASSES] = 1
            maps[:, :96, BARE] = 1
            return Parse(maps=maps, glasses=1.0, to_square=to_square(landmarks))

    drawn = parse_map.draw(cast("Engine", AsIfOne()), BLACK, FACE)
    assert drawn[200, 300].astype(int).tolist() == pytest.approx([22, 67, 172], abs=1)
    assert not drawn[:, :190].any()
    assert not drawn[200, 395].any()  # beyond the face


# Measures and baselines


FACE = (200 * CANONICAL + [200, 200, 0]).astype(np.float32)
BLACK = np.zeros((400, 400, 3), np.uint8)


def test_a_result_like_its_target_has_moved_nothing() -> None:
    found = measures.compare(BLACK, FACE, BLACK, FACE)
    assert all(value == pytest.approx(0, abs=1e-5) for value in found.values())


def test_moves_turns_and_pixels_outside_are_measured() -> None:
    shifted = FACE + np.array([2, 0, 0], np.float32)
    result = BLACK.copy()
    result[200, 200] = 9  # in the face
    result[1, 1] = 9
    found = measures.compare(BLACK, FACE, result, shifted)
    size = np.ptp(FACE[:, :2], axis=0).max()
    assert found["landmarks_moved"] == pytest.approx(200 / size, rel=1e-3)
    assert found["outside"] == 1
    turn = np.radians(10)
    about_z = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0]])
    turned = FACE.copy()
    turned[:, :2] = (FACE - [200, 200, 0]) @ about_z.T + 200
    assert measures.compare(BLACK, FACE, BLACK, turned)["roll"] == pytest.approx(10, abs=0.01)


def test_without_a_face_in_the_result_only_the_pixels_are_compared() -> None:
    found = measures.compare(BLACK, FACE, BLACK, None)
    assert found["outside"] == 0
    assert found["pose"] is None


def test_colours_get_the_mean_and_deviation_of_the_example() -> None:
    random = np.random.default_rng(1)
    picture, example = (
        random.normal(mean, deviation, (64, 64, 3)).clip(0, 255).astype(np.uint8)
        for mean, deviation in ((90, 12), (150, 20))
    )
    moved = baselines.transfer_colour(picture, example, np.ones((64, 64), bool))
    assert abs(moved.mean() - example.mean()) < 3
    assert abs(moved.std() - example.std()) < 3
