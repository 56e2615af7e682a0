"""Command line of the picture benchmark; see the package's docstring."""

import argparse
import json
import shutil
from functools import cache
from pathlib import Path
from typing import Any

from bench.choose_pairs import PAIRS
from bench.pictures import blind, faces, judgements, parse_map, report, tables
from bench.pictures.run import METHODS, read_pairs, run
from bench.quality import judge
from swaps.engines.classical import Engine

ROOT = Path(__file__).resolve().parent.parent.parent
OUT = ROOT / "var" / "bench" / "pictures"
RUN, KEY, BLIND = OUT / "run.json", OUT / "key.json", OUT / "blind"
LAST_RELEASE = "b97fc6c"
FACE = 420  # pixels: side of the faces in report and form


def main() -> None:
    options = _options()
    if options.judgements:
        _keep(options.judgements)
    else:
        pairs = read_pairs(options.pairs, options.limit)
        records = run(
            pairs, options.photos, OUT,
            root=ROOT, methods=options.methods, before=options.before, judge=judge,
        )  # fmt: skip
        _write_faces(records, options.photos)
        _write_json(RUN, records)
        _write_blind(records)
    _write_tables()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("--photos", type=Path, default=ROOT.parent / "shared" / "photos")
    parser.add_argument("--pairs", type=Path, default=PAIRS, help="JSON like bench/pairs60.json")
    parser.add_argument("--limit", type=int, help="so many pairs, spread evenly over the file")
    parser.add_argument("--methods", type=_methods, default=METHODS, help=",".join(METHODS))
    parser.add_argument("--before", default=LAST_RELEASE, help="commit of the engine to compare")
    parser.add_argument("--judgements", type=Path, help="answers to the blind form")
    return parser.parse_args()


def _methods(text: str) -> list[str]:
    names = text.split(",")
    if unknown := set(names) - set(METHODS):
        raise argparse.ArgumentTypeError(f"no such method: {', '.join(sorted(unknown))}")
    return names


def _keep(answers: Path) -> None:
    """Resolve a judge's answers by the key, and keep them in the repository."""
    said = json.loads(answers.read_text(encoding="utf-8"))
    found = judgements.resolve(said, json.loads(KEY.read_text(encoding="utf-8")))
    path = judgements.save(found, judgements.FOLDER, answers.stem)
    print(f"{len(found)} judgements are kept in {path.relative_to(ROOT)}")


def _write_faces(records: list[tables.Record], photos: Path) -> None:
    """Write the face of each photo and result as JPEG, and add their names to the records."""
    folder = BLIND / "faces"
    shutil.rmtree(BLIND, ignore_errors=True)
    folder.mkdir(parents=True)
    engine = Engine(faces.MODELS)
    secret = blind.salt(OUT / "salt")
    find = cache(lambda name: faces.landmarks(engine, faces.read(photos / name)))

    def write(picture: Path, like: str, name: str) -> str:
        face = find(like)
        if face is None:
            return ""
        faces.crop(faces.read(picture), face, FACE).save(folder / name, quality=92)
        return f"faces/{name}"

    def write_parse(name: str) -> str:
        face = find(name)
        if face is None:
            return ""
        parsed = parse_map.draw(engine, faces.read(photos / name), face)
        path = OUT / "parses" / name.replace("/", "-")
        faces.crop(parsed, face, FACE).save(path, quality=92)
        return f"parses/{path.name}"

    (OUT / "parses").mkdir(exist_ok=True)
    photo = cache(lambda name: write(photos / name, name, name.replace("/", "-")))
    parse = cache(write_parse)
    for record in records:
        for which in ("source", "target"):
            record[f"{which}_face"] = photo(record[which])
            record[f"{which}_parse"] = parse(record[which])
        if "error" not in record:
            code = blind.code_of(record["digest"], secret)
            result_face = write(Path(record["result"]), record["target"], f"{code}.jpg")
            record.update(code=code, result_face=result_face)


def _write_blind(records: list[tables.Record]) -> None:
    """Write form and sheets; the key keeps earlier runs' codes, whose answers may still come."""
    key = blind.key_of(records)
    earlier = json.loads(KEY.read_text(encoding="utf-8")) if KEY.exists() else {}
    _write_json(KEY, earlier | key)
    by_code = {record["code"]: record for record in records if "error" not in record}
    items = [
        {"code": code}
        | {name: by_code[code][f"{name}_face"] for name in ("source", "target", "result")}
        for code in key
    ]
    form = blind.write_form(BLIND, items)
    sheets = blind.write_sheets(BLIND, items)
    print(f"To be judged blind: {form}, or {sheets} sheets beside it")


def _write_tables() -> None:
    """Merge what is known by now, and write the tables as text, JSON and HTML."""
    records = json.loads(RUN.read_text(encoding="utf-8"))
    records = judgements.merge(records, judgements.load(judgements.FOLDER))
    summed = tables.summary(records)
    print(tables.text(summed))
    print(f"Report: {report.write(OUT, records, summed)}")
    results = ROOT / "bench-results"
    results.mkdir(exist_ok=True)
    _write_json(results / "pictures.json", {"figures": summed, "records": records})
    measured = [{name: r[name] for name in ("digest", "measures")} for r in records if "score" in r]
    _write_json(OUT / "measures.json", measured)


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main()
