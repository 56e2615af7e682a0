"""Swaps pairs with the engine of the release that PYTHONPATH names, one per line of stdin.

    PYTHONPATH=RELEASE python -P swap_worker.py MODELS

A line asks {"source": path, "target": path, "result": path}; the answer, also one line of JSON,
has ``ms`` (CPU, warm, with decoding both photos and encoding the result as JPEG), warnings, and
score and measures where the release knows them; or ``error``. It uses only what all releases have
in common, so it can run any of them.
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from swaps import images
from swaps.engines.classical import Engine, NoFace

MAX_PIXELS = 50_000_000


def main() -> None:
    engine = Engine(Path(sys.argv[1]))
    is_warm = False
    for line in sys.stdin:
        job = json.loads(line)
        if not is_warm:
            answer(engine, job)
            is_warm = True
        print(json.dumps(answer(engine, job)), flush=True)


def answer(engine: Engine, job: dict[str, str]) -> dict[str, Any]:
    """Swap one pair, and write the result as PNG."""
    source, target = (Path(job[name]).read_bytes() for name in ("source", "target"))
    start = time.process_time()
    try:
        output = engine.swap(_decode(source), _decode(target))
    except NoFace as error:
        return {"error": str(error)}
    result = Image.fromarray(output.image)
    images.encode(result, "jpeg")
    ms = 1e3 * (time.process_time() - start)
    result.save(job["result"])
    return {"ms": ms, "warnings": output.warnings, **quality_of(output)}


def quality_of(output: Any) -> dict[str, Any]:
    """Return the score and the measures of the face; the first releases had none."""
    if not hasattr(output, "score"):
        return {}
    return {"score": output.score, "measures": asdict(output.measures[0])}


def _decode(data: bytes) -> Image.Image:
    return images.open_photo(data, max_pixels=MAX_PIXELS)


if __name__ == "__main__":
    main()
