"""Memory for opening pictures: shared by threads and processes, and never more than the budget."""

import io
import os
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pytest_django import Settings

from swaps import errors, images
from swaps.images import budget, containers, cost, isolation
from swaps.images.budget import SLOT_BYTES, reserve
from swaps.runtime import request_slots
from tests.paths import OTHER, ROOT
from tests.pictures import header, png, webp_bomb, written
from tests.running import MAX_WAIT_SECONDS, wait_until

SLOTS = 8
ALL = SLOTS * SLOT_BYTES
MP = 1_000_000


@pytest.fixture(autouse=True)
def _own_budget(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.FACESWAP_VAR = tmp_path
    settings.FACESWAP_DECODE_BYTES = ALL
    monkeypatch.setattr(budget, "WAIT_SECONDS", float(MAX_WAIT_SECONDS))


def accepted(data: bytes, **more: Any) -> images.Photo:
    return images.accept(
        io.BytesIO(data), size=len(data), max_bytes=30 * MP, max_pixels=50 * MP, **more
    )


@contextmanager
def another_process(folder: Path, size: int) -> Iterator["subprocess.Popen[str]"]:
    """One that holds so much, and goes on holding it."""
    program = (
        "import django, time; django.setup()\n"
        "from swaps.images.budget import reserve\n"
        f"with reserve({size}, who='another'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
            "FACESWAP_VAR": str(folder),
            "FACESWAP_DECODE_MB": str(ALL // MP),
            "DATABASE_URL": "",
        },
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


# --- The budget -----------------------------------------------------------------------------------


def test_threads_never_hold_more_than_the_budget_together_and_all_get_their_turn() -> None:
    lock, held, peaks = threading.Lock(), 0, []

    def work(number: int) -> None:
        nonlocal held
        slots = (1, 3, 5, 8)[number % 4]
        with reserve(slots * SLOT_BYTES - 1, who=f"account-{number}"):
            with lock:
                held += slots
                peaks.append(held)
            time.sleep(0.01)
            with lock:
                held -= slots

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(work, range(24)))
    assert len(peaks) == 24
    assert max(peaks) <= SLOTS


def test_processes_share_it_and_what_a_killed_one_held_is_free_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "WAIT_SECONDS", 0.1)
    with another_process(tmp_path, ALL - SLOT_BYTES) as process:
        with reserve(SLOT_BYTES, who="a"):
            pass
        with pytest.raises(errors.Overloaded), reserve(2 * SLOT_BYTES, who="a"):
            pytest.fail("it is not there")
        process.kill()
        process.wait()
        with reserve(ALL, who="a"):
            pass


def test_an_account_has_one_at_a_time_and_a_flood_of_it_keeps_nobody_out() -> None:
    go_on, begun = threading.Event(), []

    def flood(number: int) -> None:
        with reserve(1, who="alice"):
            begun.append(number)
            go_on.wait(MAX_WAIT_SECONDS)

    with ThreadPoolExecutor(6) as pool:
        flooding = [pool.submit(flood, number) for number in range(6)]
        assert wait_until(lambda: len(begun) == 1)
        started = time.monotonic()
        with reserve(3 * SLOT_BYTES, who="bob"):
            assert time.monotonic() - started < 1
            assert len(begun) == 1
        go_on.set()
        for each in flooding:
            each.result(MAX_WAIT_SECONDS)
    assert len(begun) == 6


def test_whoever_waited_long_enough_is_told_when_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(budget, "WAIT_SECONDS", 0.1)
    with (
        reserve(ALL, who="alice"),
        pytest.raises(errors.Overloaded) as refusal,
        reserve(1, who="bob"),
    ):
        pytest.fail("it is not there")
    assert (refusal.value.status, refusal.value.code) == (503, "api_error")
    assert refusal.value.retry_after > 0


def test_one_account_does_not_fill_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_WAITING", 2)
    go_on = threading.Event()

    def wait(who: str) -> None:
        with reserve(1, who=who):
            assert go_on.wait(MAX_WAIT_SECONDS)

    with ThreadPoolExecutor(4) as pool:
        with reserve(1, who="alice"):
            waiting = [pool.submit(wait, "alice") for _ in range(2)]
            assert wait_until(lambda: len(budget._waiting.get("alice", [])) == 2)
            with pytest.raises(errors.TooManyRequests), reserve(1, who="alice"):
                pytest.fail("it is not there")
            with reserve(1, who="bob"):
                pass
            go_on.set()
        for each in waiting:
            each.result(MAX_WAIT_SECONDS)
    assert not {"alice", "bob"} & set(budget._waiting)


def test_pictures_held_in_memory_fill_the_line_by_their_size() -> None:
    go_on = threading.Event()

    def wait() -> None:
        with reserve(1, who="alice", held=budget.MAX_WAITING_BYTES - 1):
            assert go_on.wait(MAX_WAIT_SECONDS)

    with ThreadPoolExecutor(1) as pool, ExitStack() as first:
        first.enter_context(reserve(1, who="alice"))
        waiting = pool.submit(wait)
        assert wait_until(lambda: "alice" in budget._waiting)
        with pytest.raises(errors.TooManyRequests), reserve(1, who="alice", held=2):
            pytest.fail("it is not there")
        go_on.set()
        first.close()
        waiting.result(MAX_WAIT_SECONDS)


def test_what_could_never_be_opened_is_refused_at_once() -> None:
    with pytest.raises(images.ImageRefused, match="not enough memory"), reserve(ALL + 1, who="a"):
        pytest.fail("it is not there")


def test_a_small_one_does_not_wait_behind_large_ones_in_line() -> None:
    """Of the large ones only one stands in the line of all."""
    go_on, large = threading.Event(), 6 * SLOT_BYTES

    def hold(number: int) -> None:
        with reserve(large, who=f"large-{number}"):
            go_on.wait(MAX_WAIT_SECONDS)

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(hold, 0)
        assert wait_until(lambda: not is_free(large))
        others = [pool.submit(hold, number) for number in (1, 2)]
        with reserve(2 * SLOT_BYTES, who="small"):
            assert not first.done()
        go_on.set()
        for each in others:
            each.result(MAX_WAIT_SECONDS)


def is_free(size: int) -> bool:
    try:
        with ExitStack() as held:
            budget._acquire(held, "asker", -(-size // SLOT_BYTES), SLOTS, deadline=0)
    except errors.Overloaded:
        return False
    return True


def test_a_request_that_waits_for_memory_lets_others_work() -> None:
    answered = threading.Event()

    def application(environ: dict[str, Any], _start: Any) -> list[bytes]:
        if environ["who"] == "other":
            answered.set()
        else:
            with reserve(1, who="bob"):
                pass
        return []

    limited = request_slots.limit_concurrency(application, slots=1)
    ask: Callable[[str], Any] = lambda who: limited({"wsgi.input": io.BytesIO(), "who": who}, None)  # noqa: E731
    with ThreadPoolExecutor(2) as pool:
        with reserve(ALL, who="alice"):
            waiting = pool.submit(ask, "waits")
            assert wait_until(lambda: budget._waiting.get("bob") == [0])
            ask("other")
            assert answered.is_set()
        waiting.result(MAX_WAIT_SECONDS)


# --- What opening a picture costs -----------------------------------------------------------------


def test_memory_is_reserved_before_a_photo_is_opened_here_or_in_a_child() -> None:
    asked: list[int] = []

    @contextmanager
    def noting(size: int) -> Iterator[None]:
        asked.append(size)
        yield

    small = written(Image.new("RGB", (1000, 1000)), "WEBP")
    large = written(Image.effect_noise((2000, 1500), 20).convert("RGB"), "JPEG")
    accepted(small, reserve=noting)
    accepted(large, reserve=noting)
    assert asked == [
        16 * MP + 2 * len(small),
        24 * MP + isolation.CHILD_OVERHEAD_BYTES + 2 * len(without_metadata(large)),
    ]


def without_metadata(data: bytes) -> bytes:
    return containers.read(data).pixels


def test_a_photo_without_memory_for_it_is_not_opened() -> None:
    def refusing(_size: int) -> Any:
        raise errors.Overloaded("opening", retry_after=1)

    for size in ((100, 100), (2000, 1500)):
        with pytest.raises(errors.Overloaded):
            accepted(written(Image.effect_noise(size, 20), "JPEG"), reserve=refusing)


FORMS = ["JPEG", "JPEG progressive", "PNG alpha", "WEBP", "WEBP lossless"]
FORMS += ["JPEG without-end", "JPEG progressive without-end", "PNG deep", "PNG deep-alpha"]


def deep_png(size: tuple[int, int], *, has_alpha: bool) -> bytes:
    """16 bits of noise: colours of which one is transparent, or grey with alpha."""
    samples = 2 if has_alpha else 3
    row = b"\0" + os.urandom(2 * samples * size[0])
    chunks = [header(*size, 16, 4 if has_alpha else 2), (b"eXIf", turned())]
    chunks += [] if has_alpha else [(b"tRNS", row[1:7])]
    return png(*chunks, (b"IDAT", zlib.compress(row * size[1], 1)), (b"IEND", b""))


@pytest.mark.parametrize("form", FORMS)
def test_a_child_takes_no_more_than_was_reserved(tmp_path: Path, form: str) -> None:
    """4 megapixels, to be rotated; measured by the kernel."""
    kind, *more = form.split()
    picture = Image.effect_noise((2400, 1700), 20).convert("RGB")
    if more == ["alpha"]:
        picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    options: dict[str, Any] = {"exif": turned()}
    options |= {"progressive": True} if "progressive" in more else {}
    options |= (
        {"method": 0, "quality": 0, "lossless": more == ["lossless"]} if kind == "WEBP" else {}
    )
    options |= {"compress_level": 1} if kind == "PNG" else {}
    data = written(picture, kind, **options)
    if "without-end" in more:
        data = data[:-2]
    if form.startswith("PNG deep"):
        data = deep_png(picture.size, has_alpha=form.endswith("alpha"))
    (tmp_path / "photo").write_bytes(data)
    program = (
        "import resource, sys; from swaps import images\n"
        "with open(sys.argv[1], 'rb') as f:\n"
        "    images.accept(f, size=1, max_bytes=10**8, max_pixels=50_000_000)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)"
    )
    found = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "photo")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    reserved = cost.memory(containers.read(data)) + isolation.CHILD_OVERHEAD_BYTES
    assert int(found.stdout) <= reserved


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif.tobytes()


# --- Too small for what it claims -----------------------------------------------------------------


def thin_jpeg() -> bytes:
    """The whole header of a photo of 12 megapixels, and of its pixels the first kilobyte."""
    data = written(Image.effect_noise((4000, 3000), 20), "JPEG")
    return data[: data.index(b"\xff\xda") + 1000].rstrip(b"\xff") + b"\xff\xd9"


THIN: dict[str, Callable[[], bytes]] = {
    "38 bytes of WebP": webp_bomb,
    "a JPEG with a tiny scan": thin_jpeg,
    "a PNG with little data": lambda: png(
        header(5000, 5000), (b"IDAT", bytes(70_000)), (b"IEND", b"")
    ),
}


@pytest.mark.parametrize("name", THIN)
def test_a_file_too_small_for_its_pixels_is_refused_without_opening_it(name: str) -> None:
    def never(_size: int) -> Any:
        pytest.fail("nothing is to be opened")

    data = THIN[name]()
    begun = time.process_time()
    with pytest.raises(images.ImageRefused, match="too small a file") as refusal:
        accepted(data, reserve=never)
    assert refusal.value.code == "broken"
    assert time.process_time() - begun < 0.1


def honest() -> dict[str, bytes]:
    """As little as a picture of 12 megapixels takes that has a face in it, or nothing at all."""
    white = Image.new("RGB", (4000, 3000), "white")
    with Image.open(OTHER) as photo:
        white_with_face = white.copy()
        white_with_face.paste(photo.convert("RGB").resize((96, 96)), (1000, 1000))
    return {
        "white JPEG": written(white.convert("L"), "JPEG", quality=1, optimize=True),
        "white progressive JPEG": written(white, "JPEG", quality=1, progressive=True),
        "white PNG": written(white.convert("1"), "PNG", optimize=True),
        "white WebP": written(white, "WEBP", quality=0, method=0),
        "lossless WebP with a face": written(white_with_face, "WEBP", lossless=True, method=0),
    }


def test_no_honest_photo_is_too_small() -> None:
    refused = [
        name for name, data in honest().items() if not cost.is_large_enough(containers.read(data))
    ]
    assert refused == []
