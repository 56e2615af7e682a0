"""Feeds mutated photos to the site's decoder and to the engine: nothing may crash or hang.

    python -m bench.fuzz [--count 20000] [--seed 0] [--first 0] [PHOTOS]

Photos are cropped, drawn out, turned, encoded in other modes and then damaged (`bench.mutations`).
Each goes the way of an upload: `images.accept`, `images.open_photo`, and `Engine.swap`, as the
source or the target of a good photo. That happens in a process of its own, which is lost when it
takes more than 10 s of CPU for one picture, or breaks, and is then replaced. An exception other
than ``ImageRefused`` and ``NoFace`` counts as a crash too.

What failed lies under var/bench/fuzz/; ``--first N --count 1`` repeats it.
"""

import argparse
import io
import multiprocessing
import resource
import signal
import time
from collections import Counter, deque
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from PIL import Image

from bench import mutations
from bench._setup import ROOT, report
from swaps import images
from swaps.engines.classical import Engine, NoFace

GOOD = ROOT / "tests" / "photos" / "face-man-frontal.jpg"
FAILED = ROOT / "var" / "bench" / "fuzz"
CPU_SECONDS = 10
WALL_SECONDS = 300  # on a machine that is busy with other things
MAX_PIXELS, MAX_BYTES = 50_000_000, 20_000_000  # as the site has them
EXPECTED = {"swapped", "no face", "refused"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Feed mutated photos to decoder and engine.")
    parser.add_argument("photos", type=Path, nargs="?", default=ROOT.parent / "shared" / "photos")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    outcomes: Counter[str] = Counter()
    slowest, peak = 0.0, 0
    photos = read_photos(options.photos)
    numbers = range(options.first, options.first + options.count)
    for number, outcome, seconds, peak_mb in outcomes_of(photos, options.seed, numbers):
        kind = outcome if outcome in EXPECTED else outcome.partition(":")[0]
        outcomes[kind] += 1
        slowest, peak = max(slowest, seconds), max(peak, peak_mb)
        if outcome not in EXPECTED:
            done, data = mutations.mutated(photos, options.seed, number)
            FAILED.mkdir(parents=True, exist_ok=True)
            (FAILED / f"{options.seed}-{number}").write_bytes(data)
            print(f"{number}: {outcome} ({done})", flush=True)
    figures: dict[str, object] = {"pictures": options.count, **dict(sorted(outcomes.items()))}
    figures["failed"] = sum(n for kind, n in outcomes.items() if kind not in EXPECTED)
    figures["slowest, CPU s"] = round(slowest, 2)
    figures["peak memory, MB"] = peak
    report("fuzz", figures)


def read_photos(folder: Path) -> list[Image.Image]:
    photos = []
    for path in sorted(folder.rglob("*.jpg")):
        with Image.open(path) as image:
            image.thumbnail((mutations.SIDE, mutations.SIDE))
            photos.append(image.convert("RGB"))
    return photos


def outcomes_of(
    photos: list[Image.Image], seed: int, numbers: range
) -> Iterator[tuple[int, str, float, int]]:
    """Yield for each number the outcome, the CPU seconds and the peak memory so far in MB."""
    context = multiprocessing.get_context("spawn")
    left = deque(numbers)
    while left:
        ours, theirs = context.Pipe()
        worker = context.Process(target=_work, args=(theirs, photos, seed), daemon=True)
        worker.start()
        theirs.close()
        try:
            while left:
                ours.send(left[0])
                if not ours.poll(WALL_SECONDS):
                    worker.kill()
                outcome, seconds, peak_mb = ours.recv()
                yield left.popleft(), outcome, seconds, peak_mb
        except EOFError:
            worker.join()
            hung = worker.exitcode in {-signal.SIGPROF, -signal.SIGKILL}
            outcome = "hang" if hung else f"crash: exit code {worker.exitcode}"
            yield left.popleft(), outcome, CPU_SECONDS, 0
        finally:
            ours.close()
            worker.join()


def _work(numbers: Connection, photos: list[Image.Image], seed: int) -> None:
    engine = Engine(ROOT / "var" / "models")
    good = images.open_photo(GOOD.read_bytes(), max_pixels=MAX_PIXELS)
    good.thumbnail((mutations.SIDE, mutations.SIDE))
    while True:
        try:
            number = numbers.recv()
        except EOFError:
            return
        _, data = mutations.mutated(photos, seed, number)
        # Ends the process by SIGPROF, in the midst of C code too.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        started = time.process_time()
        try:
            outcome = _try(engine, good, data, as_source=number % 2 == 0)
        except Exception as error:  # noqa: BLE001  # it is the outcome
            outcome = f"crash: {type(error).__name__}: {error}"
        seconds = time.process_time() - started
        signal.setitimer(signal.ITIMER_PROF, 0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        numbers.send((outcome, seconds, peak // 1024))


def _try(engine: Engine, good: Image.Image, data: bytes, *, as_source: bool) -> str:
    try:
        photo = images.accept(
            io.BytesIO(data), size=len(data), max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS
        )
        picture = images.open_photo(photo.data, max_pixels=MAX_PIXELS)
    except images.ImageRefused:
        return "refused"
    try:
        engine.swap(*((picture, good) if as_source else (good, picture)))
    except NoFace:
        return "no face"
    return "swapped"


if __name__ == "__main__":
    main()
