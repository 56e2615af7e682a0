"""A provider's errors in our words, without the key."""

import logging
import traceback

import pytest
from pytest_django import Settings

from swaps import errors, messages
from swaps.hosted import client
from swaps.providers.base import (
    ProviderError,
    RetryLater,
)
from tests.hosted.provider_calls import ask, error, replies, submit
from tests.provider_server import (
    KEY,
    Behaviour,
    Reply,
    running_provider,
)

pytestmark = pytest.mark.usefixtures("the_key_is_good")


# --- Errors in our words --------------------------------------------------------------------------


@pytest.mark.parametrize("code", [*errors.SwapError.by_code, "rate_limited", "", "no such code"])
def test_every_code_of_a_provider_is_an_error_of_ours(code: str) -> None:
    error = client.to_swap_error(code, "secret words about image_url https://a.example/?k=1")
    kinds = {
        "no_face": errors.NoFace,
        "invalid_image": errors.InvalidImage,
        "payload_too_large": errors.InvalidImage,
        "forbidden": errors.Forbidden,
        "timeout": errors.Timeout,
    }
    assert type(error) is kinds.get(code, errors.ApiError)
    assert error.message[0].isupper()
    assert error.message.endswith(".")
    assert "secret" not in error.message
    assert "example" not in error.message


@pytest.mark.parametrize(
    ("message", "image"),
    [
        ("No face found in source_image_url.", "source"),
        ("No face found in target_image_url", "target"),
        ("SOURCE image: no face", "source"),
        ("no face in the target.", "target"),
        ("targetImage: none", ""),
        ("Neither source_image_url nor target_image_url shows a face", ""),
        ("The resource has no face; check your sources and retargeting", ""),
        ("", ""),
        ("没有检测到人脸", ""),
    ],
)
@pytest.mark.parametrize("code", ["no_face", "invalid_image", "forbidden"])
def test_the_message_tells_which_picture_is_meant(
    code: str, message: str, image: errors.ImageName, settings: Settings
) -> None:
    other: dict[str, errors.ImageName] = {"source": "target", "target": "source", "": ""}
    assert client.to_swap_error(code, message).image == image
    settings.FACESWAP_HOSTED_EXCHANGE = True
    assert client.to_swap_error(code, message).image == other[image]


@pytest.mark.parametrize("image", ["source", "target", ""])
def test_no_face_is_said_in_the_words_of_the_sites_own_engine(image: str) -> None:
    error = client.to_swap_error("no_face", f"No face in {image}_image_url")
    assert error.message == messages.TEXTS[f"no_face.{image or 'either'}"]


# --- The key stays here ---------------------------------------------------------------------------

ECHOES = [
    replies(error("bad_request", f"What is {KEY}?"), status=400),
    replies(error(KEY, KEY), status=401),
    replies({"error": f"Bearer {KEY} is wrong"}, status=403),
    replies(error("api_error", f"https://x:{KEY}@a.example/?key={KEY}"), status=503),
    replies(error("rate_limited", KEY[:5] + "\0" + KEY[5:]), status=429, retry_after=KEY),
    replies({"error": KEY}, status=418),
    replies(KEY.encode()),
    replies({"task_id": "", "message": KEY}),
    replies({"task_id": "", "message": KEY}, status=504),
    Behaviour(reply=Reply(status=302, headers={"Location": f"/?key={KEY}"}), starts=False),
    Behaviour(reply=Reply(headers={"A b": KEY}, body=b"", cut_at=0)),
    Behaviour(reply=Reply(headers={"Content-Encoding": KEY}, body=b"1")),
    Behaviour(reply=Reply(headers={"Content-Length": KEY}, body=b"1", closes=True)),
    Behaviour(reply=Reply(headers={KEY: "\x00", " ": KEY}, body=b"{}")),
]


def all_said(raised: BaseException | None) -> str:
    """In all that hangs together, shown or not."""
    if raised is None:
        return ""
    payload = "".join(traceback.format_exception(raised)) + repr(raised) + repr(raised.__dict__)
    return payload + all_said(raised.__cause__) + all_said(raised.__context__)


@pytest.mark.parametrize("echo", ECHOES, ids=range(len(ECHOES)))
def test_a_provider_that_quotes_the_key_does_not_spread_it(
    echo: Behaviour, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running_provider(echo, asked=[echo.reply]) as provider:
        for call in (submit, ask):
            with pytest.raises((errors.SwapError, ProviderError)) as raised:
                call(settings, provider)
            assert KEY not in all_said(raised.value)
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "key", ["käse-1234", "ключ-1234", "a\nb: 1234", "a\r\n\r\n1234", " 1234", "\01234"]
)
def test_a_key_that_no_header_can_carry_is_in_no_error(
    key: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings.FACESWAP_HOSTED_KEY = key
    with running_provider() as provider, pytest.raises((errors.SwapError, RetryLater)) as raised:
        submit(settings, provider)
    assert "1234" not in all_said(raised.value)
    assert "1234" not in caplog.text
    assert provider.tasks == {}
