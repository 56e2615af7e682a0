"""``fetch_result``: what the provider made is fetched, checked, cleaned and marked."""

import io
import logging
import traceback
import zlib
from typing import Any

import pytest
from PIL import Image
from pytest_django import Settings

from swaps import errors, net, storage
from swaps.hosted import client, parser
from swaps.provenance import xmp
from swaps.providers.base import Answered, Finished, ProviderError, RemoteRequest
from tests.paths import PHOTOS
from tests.provider_server import Behaviour, Provider, is_mixed_from, running_provider
from tests.receiver import receiving

TARGET = "swaps/7d1c/target.jpg"
MB = 1_000_000


@pytest.fixture(autouse=True)
def _a_target_of_400_by_300(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_RESULT_HOSTS = ["127.0.0.1"]
    settings.FACESWAP_HOSTED_MAX_RESULT_BYTES = 10 * MB
    storage.put(TARGET, picture())


def picture(
    size: tuple[int, int] = (400, 300),
    kind: str = "JPEG",
    mode: str = "RGB",
    **more: Any,
) -> bytes:
    out = io.BytesIO()
    colour: Any = {"L": 90, "RGB": (200, 120, 40), "RGBA": (200, 120, 40, 90)}[mode]
    Image.new(mode, size, colour).save(out, kind, **more)
    return out.getvalue()


def fetch(provider: Provider, data: bytes, *, target_key: str = TARGET) -> Finished:
    return client.fetch_result(provider.serve_picture("a.jpg", data), target_key=target_key)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


# --- What becomes of a good one -------------------------------------------------------------------


def test_two_photos_become_a_marked_result_by_way_of_the_provider(settings: Settings) -> None:
    source = (PHOTOS / "face-woman-frontal.jpg").read_bytes()
    target = (PHOTOS / "face-man-frontal.jpg").read_bytes()
    storage.put("swaps/7d1d/target.jpg", target)
    with receiving() as receiver, running_provider(fetches=True) as provider:
        settings.FACESWAP_HOSTED_URL, settings.FACESWAP_HOSTED_KEY = provider.url, provider.key
        inbox = receiver.inbox()
        request = RemoteRequest(
            source_image_url=provider.serve_picture("source.jpg", source),
            target_image_url=provider.serve_picture("target.jpg", target),
            callback_url=inbox.url,
            idempotency_key="7d1d",
        )
        accepted = client.submit(request)
        outcome = parser.parse_callback(inbox.wait_for(1)[0].body)
        finished = client.fetch_result(outcome.image_url, target_key="swaps/7d1d/target.jpg")
    assert outcome.task_id == accepted.task_id
    assert is_mixed_from(finished.data, source, target)
    assert not is_mixed_from(finished.data, target, target)
    assert (finished.width, finished.height) == opened(target).size == opened(finished.data).size
    assert finished.extension == ".jpg"
    assert finished.warnings == ()
    assert xmp.is_marked(finished.data)
    assert {side: max(opened(copy).size) for side, copy in finished.copies.items()} == {
        160: 160,
        640: 640,
        1600: max(finished.width, finished.height),
    }


def test_nothing_of_what_came_in_the_file_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010E] = "from elsewhere"
    with running_provider() as provider:
        finished = fetch(provider, picture(exif=exif, comment=b"from elsewhere"))
    assert b"elsewhere" not in finished.data
    assert not opened(finished.data).getexif()


def test_a_result_that_lies_on_its_side_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with running_provider() as provider:
        finished = fetch(provider, picture((300, 400), exif=exif))
    assert (finished.width, finished.height) == opened(finished.data).size == (400, 300)


@pytest.mark.parametrize(
    ("data", "target_key", "extension"),
    [
        (picture(), TARGET, ".jpg"),
        (picture(kind="PNG"), TARGET, ".jpg"),
        (picture(kind="WEBP"), TARGET, ".jpg"),
        (picture(mode="L"), TARGET, ".jpg"),
        (picture(kind="PNG", mode="RGBA"), TARGET, ".png"),
        (picture(), "swaps/7d1e/target.png", ".png"),
    ],
)
def test_the_result_is_of_the_targets_type_unless_it_is_transparent(
    data: bytes, target_key: str, extension: str
) -> None:
    storage.put("swaps/7d1e/target.png", picture(kind="PNG"))
    with running_provider() as provider:
        finished = fetch(provider, data, target_key=target_key)
    assert finished.extension == extension
    assert opened(finished.data).format == {".jpg": "JPEG", ".png": "PNG"}[extension]
    assert xmp.is_marked(finished.data)


@pytest.mark.parametrize(
    "size", [(400, 300), (800, 600), (399, 300), (397, 303), (200, 151), (4, 3)]
)
def test_the_provider_may_scale_and_round(size: tuple[int, int]) -> None:
    with running_provider() as provider:
        finished = fetch(provider, picture(size))
    assert (finished.width, finished.height) == size


def test_where_it_is_and_what_it_is_called_does_not_matter(settings: Settings) -> None:
    behaviour = Behaviour(result_redirects=2, result_statuses=(503,), result_after=0.05)
    with running_provider(behaviour) as provider:
        url = result_url(settings, provider)
        assert client.fetch_result(f"{url}?signed=5d2f#x", target_key=TARGET).width == 400
        assert provider.task.fetched == 4


def result_url(settings: Settings, provider: Provider) -> str:
    """Of a task that the provider has done."""
    settings.FACESWAP_HOSTED_URL, settings.FACESWAP_HOSTED_KEY = provider.url, provider.key
    photo = provider.serve_picture("a.jpg", picture())
    request = RemoteRequest(
        source_image_url=photo, target_image_url=photo, callback_url="", idempotency_key=""
    )
    task_id = client.submit(request).task_id
    assert provider.task.is_done.wait(60)
    outcome = client.get_task(task_id)
    assert isinstance(outcome, Answered)
    return outcome.image_url


# --- What may be there later ----------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 404, 410, 429, 500])
def test_a_result_that_is_not_there_may_come_later(status: int, settings: Settings) -> None:
    with running_provider(Behaviour(result_statuses=(status,))) as provider:
        url = result_url(settings, provider)
        with pytest.raises(net.BadResponse) as trouble:
            client.fetch_result(url, target_key=TARGET)
        assert trouble.value.status == status
        assert client.fetch_result(url, target_key=TARGET).width == 400


def test_a_host_that_is_away_may_come_back(settings: Settings) -> None:
    with running_provider() as provider:
        url = result_url(settings, provider)
    with pytest.raises(net.NotReached):
        client.fetch_result(url, target_key=TARGET)


def test_a_target_that_was_removed_meanwhile_is_said_to_be_gone() -> None:
    storage.delete([TARGET])
    with running_provider() as provider, pytest.raises(FileNotFoundError):
        fetch(provider, picture())


# --- What cannot become right ---------------------------------------------------------------------


def bomb() -> bytes:
    """A small PNG whose header promises 2,700 megapixels, and is whole."""
    data = bytearray(picture((20, 15), "PNG"))
    data[16:24] = (60_000).to_bytes(4) + (45_000).to_bytes(4)
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty"),
        (b"<!doctype html><title>Gone</title>", "web page"),
        (b'{"error": "expired"}', "not a picture"),
        (b"%PDF-1.7", "PDF"),
        (picture()[:-200], "damaged"),
        (picture()[:30], "damaged"),
        (bomb(), "megapixels"),
        (picture((300, 400)), "300 × 400 pixels for a target of 400 × 300"),
        (picture((400, 290)), "400 × 290 pixels"),
        (picture((410, 300)), "410 × 300 pixels"),
        (picture((1, 1)), "1 × 1 pixels"),
        (
            picture(kind="WEBP", save_all=True, append_images=[Image.new("RGB", (400, 300))]),
            "animation",
        ),
    ],
    ids=range(12),
)
def test_what_is_no_result_ends_the_swap(
    data: bytes, problem: str, caplog: pytest.LogCaptureFixture
) -> None:
    with running_provider() as provider, pytest.raises(errors.ApiError) as refusal:
        fetch(provider, data)
    assert refusal.value.explanation == {"code": "api_error.result_unusable"}
    assert isinstance(refusal.value.__cause__, ProviderError)
    assert problem in refusal.value.__cause__.message
    assert problem in caplog.text


def test_too_many_bytes_end_the_swap(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_MAX_RESULT_BYTES = 1_000
    with running_provider() as provider, pytest.raises(errors.ApiError):
        fetch(provider, picture())


def test_too_many_pixels_end_the_swap(settings: Settings) -> None:
    settings.FACESWAP_MAX_PIXELS = 100_000
    with running_provider() as provider, pytest.raises(errors.ApiError):
        fetch(provider, picture())


@pytest.mark.parametrize(
    "url", ["http://localhost:{port}/pictures/a.jpg", "file:///etc/passwd", "http://"]
)
def test_a_url_that_may_not_be_asked_ends_the_swap(url: str) -> None:
    with running_provider() as provider, pytest.raises(errors.ApiError):
        client.fetch_result(url.format(port=provider.server_port), target_key=TARGET)


def test_without_a_list_of_hosts_only_public_ones_are_asked(settings: Settings) -> None:
    settings.FACESWAP_HOSTED_RESULT_HOSTS = []
    with running_provider() as provider:
        with pytest.raises(errors.ApiError):
            fetch(provider, picture())
        settings.FACESWAP_FETCH_ALLOW = ["127.0.0.1"]
        assert fetch(provider, picture()).width == 400


@pytest.mark.parametrize("data", [b"nothing", picture((1, 1))])
def test_the_url_of_a_result_is_in_no_log_and_no_error(
    data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running_provider() as provider, pytest.raises(errors.ApiError) as refusal:
        client.fetch_result(
            provider.serve_picture("a.jpg", data) + "?secret=5d2f", target_key=TARGET
        )
    payload = "".join(traceback.format_exception(refusal.value))
    assert "?secret=" not in payload.replace('"?secret=5d2f"', "")  # the line above
    assert "secret=5d2f" not in caplog.text
