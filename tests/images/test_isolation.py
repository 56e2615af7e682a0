"""Large photos are opened in a child process: real children, real photos, real signals."""

import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from PIL import Image

from swaps import images
from swaps.images import isolation
from swaps.images.reencode import reencode
from tests.paths import OTHER, ROOT
from tests.pictures import P3, header, png, with_orientation, written
from tests.running import wait_until

MP = 1_000_000
needs_proc = pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="needs /proc")


# --- Photos and their children --------------------------------------------------------------------


def face(size: tuple[int, int] = (1800, 1300)) -> Image.Image:
    with Image.open(OTHER) as photo:
        return photo.convert("RGB").resize(size)


def with_alpha(image: Image.Image) -> Image.Image:
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return image


def child_answer(copies: dict[int, int], rest: bytes) -> bytes:
    """What a child writes: of a photo of one byte, and of copies that are as long as it says."""
    reply = {"content_type": "image/png", "bytes": 1, "copies": copies, "width": 1, "height": 1}
    return json.dumps(reply).encode() + b"\n" + rest


# Just above what the web process opens itself.
LARGE: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: written(face(), "JPEG"),
    "jpeg turned": lambda: written(face(), "JPEG", exif=with_orientation(6)),
    "jpeg wide colours": lambda: written(face(), "JPEG", icc_profile=P3),
    "jpeg grey": lambda: written(face().convert("L"), "JPEG"),
    "png": lambda: written(face(), "PNG", compress_level=1),
    "png alpha turned": lambda: written(
        with_alpha(face()), "PNG", compress_level=1, exif=with_orientation(6)
    ),
    "webp": lambda: written(face(), "WEBP", method=0),
    "webp alpha": lambda: written(with_alpha(face()), "WEBP", method=0),
}


@cache
def large(name: str) -> bytes:
    return LARGE[name]()


@cache
def slow() -> bytes:
    """Opening it takes about a second: long enough for whatever is done to the child."""
    return written(with_alpha(face((3600, 2600))), "PNG", compress_level=1)


def accepted(upload: Any, size: int = 1) -> images.Photo:
    return images.accept(upload, size=size, max_bytes=30 * MP, max_pixels=50 * MP)


def refusal_of(future: "Future[images.Photo]") -> images.ImageRefused:
    with pytest.raises(images.ImageRefused) as refusal:
        future.result(60)
    return refusal.value


def children_of(pid: int) -> list[int]:
    lists = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    return [
        int(child)
        for child in " ".join(lists).split()
        if "swaps.images.child_main" in Path(f"/proc/{child}/cmdline").read_text()
    ]


def stopped_child(pid: int) -> int:
    """The child of this process, stopped after it has set its limits."""

    def is_limited() -> bool:
        return any(memory_limit(child) != "unlimited" for child in children_of(pid))

    assert wait_until(is_limited)
    (child,) = children_of(pid)
    os.kill(child, signal.SIGSTOP)
    return child


def memory_limit(pid: int) -> str:
    limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line.split()[3] for line in limits if line.startswith("Max address space"))


def is_gone(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True


def run(program: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """In a process of its own, which has imported ``images`` and nothing of Django."""
    return subprocess.run(
        [sys.executable, "-c", PREPARED + program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


PREPARED = """
import os, resource, sys
from swaps import images

def accepted(path):
    with open(path, "rb") as file:
        try:
            return images.accept(file, size=1, max_bytes=30_000_000, max_pixels=50_000_000)
        except images.ImageRefused as refusal:
            print(refusal.code, refusal.message)
"""


# --- The same picture -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", LARGE)
def test_a_child_makes_the_same_picture_byte_for_byte(name: str) -> None:
    data = large(name)
    photo = accepted(io.BytesIO(data))
    assert photo == reencode(data, max_pixels=50 * MP)
    assert (photo.width, photo.height) == images.dimensions(data)


def test_a_small_photo_is_opened_without_a_child() -> None:
    data = written(face((1920, 1080)), "JPEG")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    photo = accepted(io.BytesIO(data))
    assert photo == reencode(data, max_pixels=50 * MP)
    assert resource.getrusage(resource.RUSAGE_CHILDREN) == before


@pytest.mark.parametrize("size", [(1920, 1080), (1800, 1300)], ids=["here", "in a child"])
@pytest.mark.parametrize("format", ["JPEG", "PNG"])
def test_every_photo_comes_with_small_copies_of_what_was_decoded_once(
    size: tuple[int, int],
    format: str,  # noqa: A002
) -> None:
    data = written(face(size), format)
    photo = accepted(io.BytesIO(data))
    assert photo.copies == images.small_copies(images.open_photo(data, max_pixels=50 * MP))


def test_an_upload_on_disk_is_handed_over_as_it_is(tmp_path: Path) -> None:
    data = large("jpeg")
    with TemporaryUploadedFile("a.jpg", "image/jpeg", len(data), None) as upload:
        upload.write(data)
        upload.seek(0)
        assert accepted(upload, upload.size or 0).width == 1800
        assert (upload.tell(), upload.read()) == (len(data), b"")
        upload.seek(0)
        assert upload.read() == data


@pytest.mark.parametrize("is_written_out", [True, False])
def test_what_stands_before_the_photo_in_a_file_is_not_read(
    tmp_path: Path, *, is_written_out: bool
) -> None:
    data = large("jpeg")
    with (tmp_path / "file").open("w+b", buffering=10 * MP) as file:
        file.write(b"something else" + data)
        if is_written_out:
            file.flush()
        file.seek(14)
        assert accepted(file).width == 1800


def test_more_photos_at_once_than_places_for_children() -> None:
    data = large("jpeg")
    with ThreadPoolExecutor(isolation.MAX_AT_ONCE + 2) as pool:
        photos = [pool.submit(accepted, io.BytesIO(data)) for _ in range(5)]
        assert len({photo.result(60).data for photo in photos}) == 1


# --- Refusals -------------------------------------------------------------------------------------


def test_a_refusal_of_the_child_is_that_of_the_photo() -> None:
    data = png(header(2000, 2000), (b"IDAT", b"no pixels"), (b"IEND", b""))
    with ThreadPoolExecutor() as pool:
        refusal = refusal_of(pool.submit(accepted, io.BytesIO(data)))
    with pytest.raises(images.ImageRefused) as same:
        reencode(data, max_pixels=50 * MP)
    assert (refusal.code, refusal.message) == (same.value.code, same.value.message)
    assert refusal.code == "broken"


def test_what_can_be_refused_without_decoding_needs_no_child() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    for data in (large("jpeg")[:300], png(header(9000, 9000), (b"IEND", b""))):
        with pytest.raises(images.ImageRefused):
            accepted(io.BytesIO(data))
    assert resource.getrusage(resource.RUSAGE_CHILDREN) == before


def test_every_letter_of_a_refusal_comes_across() -> None:
    params = {"width": 8, "height": 9, "size": 1, "limit": 2}
    reply = {"refused": {"code": "too_many_pixels.area", **params}}
    with pytest.raises(images.ImageRefused, match="It is 8 × 9 = 1 megapixels") as refusal:
        isolation._read_photo(io.BytesIO(json.dumps(reply).encode()), 30 * MP)
    assert refusal.value.code == "too_many_pixels"


@pytest.mark.parametrize(
    "shown",
    [
        b"",
        b"\xff\xd8\xff",
        b"[]\n",
        b'{"refused": {"code": "of its.own"}}\n',
        b'{"refused": {"code": ["broken.file"]}}\n',
        b'{"refused": {"code": "broken.unknown"}}\n',
        b'{"refused": {"code": "url.password"}}\n',
        b'{"refused": {"code": "too_many_pixels.side"}}\n',
        b'{"refused": {"code": "not_an_image.known", "found": {"code": "url.password"}}}\n',
        b'{"refused": {"code": "not_an_image.unknown", "accepted": ["a"]}}\n',
        b'{"refused": "broken.file"}\n',
        b'{"content_type": "image/png"}\n',
        b'{"content_type": "text/html", "bytes": 1, "width": 1, "height": 1}\n<',
        b'{"content_type": ["image/png"], "bytes": 1, "width": 1, "height": 1}\n<',
        b'{"content_type": "image/png", "bytes": 1, "width": "wide", "height": 1}\n<',
        b'{"content_type": "image/png", "bytes": 1, "width": 1, "height": 1}\n<',  # no copies
        child_answer({160: 1, 640: 1}, b"<<<"),
        child_answer({160: 1, 640: 1, 1600: 1}, b"<<<"),  # the last copy is cut off
        child_answer({160: 1, 640: 1, 1600: 0}, b"<<<"),
        child_answer({160: 1, 640: 1, 1600: 10**12}, b"<<<<"),
        b'{"content_type": "image/png", "bytes": 1e999, "width": 1, "height": 1}\n<',
        b" " * 10_000 + b'{"refused": {"code": "broken.file"}}\n',
        b"[" * 1_900 + b"\n",
    ],
)
def test_a_child_that_was_taken_over_says_what_it_likes_and_is_not_believed(shown: bytes) -> None:
    with pytest.raises(images.ImageRefused) as refusal:
        isolation._read_photo(io.BytesIO(shown), 30 * MP)
    assert (refusal.value.code, refusal.value.message[:14]) == ("broken", "It is damaged ")


@pytest.mark.parametrize("is_large", [True, False])
def test_a_photo_that_grows_out_of_all_proportion_is_refused(
    is_large: bool,
) -> None:
    """Alpha is kept as PNG; of noise that is many times what a lossy file took."""
    size = (2000, 1500) if is_large else (1000, 800)
    noise = Image.effect_noise(size, 60).convert("RGB")
    noise.putalpha(254)
    data = written(noise, "WEBP", quality=5, method=0)
    with pytest.raises(images.ImageRefused, match="to keep it") as refusal:
        images.accept(io.BytesIO(data), size=len(data), max_bytes=len(data) + 1, max_pixels=50 * MP)
    assert refusal.value.code == "too_many_bytes"


# --- Ends -----------------------------------------------------------------------------------------


@needs_proc
@pytest.mark.parametrize(
    ("signum", "code", "shown"),
    [
        (signal.SIGKILL, "too_many_pixels", "not enough memory"),  # by the system
        (signal.SIGSEGV, "broken", "damaged"),
        (signal.SIGXCPU, "too_slow", "60 seconds"),
    ],
)
def test_a_child_that_is_killed_is_a_refused_photo(signum: int, code: str, shown: str) -> None:
    with ThreadPoolExecutor() as pool:
        future = pool.submit(accepted, io.BytesIO(slow()))
        child = stopped_child(os.getpid())
        os.kill(child, signum)
        os.kill(child, signal.SIGCONT)
        refusal = refusal_of(future)
    assert refusal.code == code
    assert shown in refusal.message


@needs_proc
def test_a_child_that_hangs_is_killed() -> None:
    def accept_quickly() -> images.Photo:
        with isolation.as_file(io.BytesIO(), 0, slow()) as file:
            return isolation.accept(file, max_pixels=50 * MP, max_stored=90 * MP, seconds=1)

    with ThreadPoolExecutor() as pool:
        future = pool.submit(accept_quickly)
        child = stopped_child(os.getpid())
        refusal = refusal_of(future)
    assert refusal.code == "too_slow"
    assert "more than 1 seconds" in refusal.message
    assert is_gone(child)


@needs_proc
def test_a_child_does_not_outlive_its_parent(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(slow())
    program = PREPARED + "accepted(sys.argv[1])"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "photo")], cwd=ROOT
    ) as parent:
        child = stopped_child(parent.pid)
        parent.kill()
    assert wait_until(lambda: is_gone(child))


def test_a_child_without_memory_says_so(tmp_path: Path) -> None:
    """The limit is inherited here; the child's own is above all that the pixel limit permits."""
    turned = Image.new("RGB", (5000, 4000))
    (tmp_path / "photo").write_bytes(written(turned, "PNG", exif=with_orientation(6)))
    program = """
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]) * 10**6,) * 2)
print("accepted", accepted(sys.argv[1]).width)
"""
    finished = run(program, tmp_path / "photo", 150)
    assert finished.stdout == "too_many_pixels " + images.no_memory().message + "\n"
    assert run(program, tmp_path / "photo", 600).stdout == "accepted 4000\n"


def test_a_full_disk_is_not_the_photos_fault(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(large("jpeg"))
    program = """
import swaps.images.child_main  # or its compiled file would be cut short as well
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
accepted(sys.argv[1])
"""
    finished = run(program, tmp_path / "photo")
    assert "ChildProcessError: swaps.images.child_main ended with" in finished.stderr
    assert "File too large" in finished.stderr  # the reason stands in the log
    assert finished.stdout == ""


# --- What a child is ------------------------------------------------------------------------------


@needs_proc
def test_a_child_is_limited_and_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "of the site")
    with ThreadPoolExecutor() as pool:
        future = pool.submit(accepted, io.BytesIO(slow()))
        child = stopped_child(os.getpid())
        limits = Path(f"/proc/{child}/limits").read_text()
        environment = Path(f"/proc/{child}/environ").read_text()
        os.kill(child, signal.SIGCONT)
        assert future.result(60).width == 3600
    bytes_of_memory = 150 * MP + 3 * len(slow()) + 20 * 50 * MP
    for limit, soft, hard in (
        ("Max address space", bytes_of_memory, bytes_of_memory),
        ("Max cpu time", 60, 65),
        ("Max file size", 210 * MP, 210 * MP),
        ("Max core file size", 0, 0),
    ):
        assert re.search(rf"{limit} +{soft} +{hard} ", limits), limits
    names = {line.partition("=")[0] for line in environment.split("\0") if line}
    assert names <= {"TMPDIR", "LD_LIBRARY_PATH", "MALLOC_ARENA_MAX", "LC_CTYPE"}


def test_a_child_does_not_load_django() -> None:
    program = (
        "import swaps.images.child_main; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = set(run(program).stdout.split())
    assert "PIL" in loaded
    assert not loaded & {"django", "cv2", "numpy", "boto3"}


@needs_proc
@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_the_process_that_accepts_a_large_photo_stays_small(
    tmp_path: Path,
    format: str,  # noqa: A002
) -> None:
    """24 megapixels, in JPEG about as many bytes as may be sent (docs/images.md)."""
    noise = Image.effect_noise((6000, 4000), 90).convert("RGB")
    options: dict[str, Any] = {"quality": 88} if format == "JPEG" else {"quality": 20, "method": 0}
    data = written(noise, format, **options)
    assert len(data) <= 20 * MP
    assert format != "JPEG" or len(data) > 18 * MP
    (tmp_path / "photo").write_bytes(data)
    program = """
def status(field):
    with open("/proc/self/status") as lines:
        return next(int(line.split()[1]) / 1000 for line in lines if line.startswith(field))

before = status("VmRSS")
photo = accepted(sys.argv[1])
assert (photo.width, photo.height) == (6000, 4000)
print(status("VmHWM") - before)
"""
    finished = run(program, tmp_path / "photo")
    assert 0 < float(finished.stdout) < 60, finished.stderr
