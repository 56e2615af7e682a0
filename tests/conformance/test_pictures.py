"""Where pictures may come from, and what becomes of those that cannot be used."""

import pytest
import requests

from tests.conformance.bare_client import BareClient
from tests.paths import PHOTOS
from tests.pictures import data_url
from tests.receiver import Receiver

FACE, TARGET = "face-woman-frontal.jpg", "face-man-frontal.jpg"
Samples = tuple[str, str]


def test_pictures_are_fetched_from_other_servers(alice: BareClient, receiver: Receiver) -> None:
    answer = alice.swap(receiver.photo(FACE), receiver.photo(TARGET))

    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["image_width"], body["image_height"]) == (1000, 1000)
    assert {f"/photos/{FACE}", f"/photos/{TARGET}"} <= set(receiver.fetched)


def test_a_redirect_to_the_picture_is_followed(alice: BareClient, receiver: Receiver) -> None:
    answer = alice.swap(receiver.redirect(FACE), receiver.photo(TARGET))

    assert answer.json()["success"] is True


def test_pictures_may_come_in_the_body(alice: BareClient) -> None:
    source, target = (data_url((PHOTOS / name).read_bytes()) for name in (FACE, TARGET))

    answer = alice.swap(source, target)

    assert answer.status_code == 200, answer.text
    request = alice.task(answer.json()["task_id"])["request"]
    assert request["source_image_url"] == f"{source[:40]}…"  # the picture itself is not kept there


def test_a_result_can_be_the_target_of_the_next_call(alice: BareClient, samples: Samples) -> None:
    source, target = samples
    first = alice.swap(source, target).json()

    second = alice.swap(source, first["image_url"]).json()

    assert second["success"] is True
    assert second["task_id"] != first["task_id"]
    assert (second["image_width"], second["image_height"]) == (720, 720)


def test_the_two_pictures_may_come_by_different_ways(
    alice: BareClient, receiver: Receiver, samples: Samples
) -> None:
    answer = alice.swap(receiver.photo(FACE), samples[1])

    assert answer.json()["success"] is True
    assert answer.json()["image_width"] == 720


@pytest.mark.parametrize(
    ("source", "target", "image"),
    [
        ("noface-cap-over-face.jpg", TARGET, "source"),
        (FACE, "noface-cap-over-face.jpg", "target"),
    ],
)
def test_a_picture_without_a_face_is_named(
    alice: BareClient, receiver: Receiver, source: str, target: str, image: str
) -> None:
    before = alice.quota()

    answer = alice.swap(receiver.photo(source), receiver.photo(target))

    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (400, "no_face")
    assert image in body["error"]["message"]
    assert body["task_id"]
    assert alice.quota() == before  # given back


def test_what_is_fetched_and_no_picture_is_an_invalid_image(
    alice: BareClient, receiver: Receiver
) -> None:
    answer = alice.swap(receiver.photo("README.md"), receiver.photo(TARGET))

    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (400, "invalid_image")
    assert "source_image_url" in body["error"]["message"]


def test_what_cannot_be_fetched_is_a_bad_request(alice: BareClient, receiver: Receiver) -> None:
    before = alice.quota()

    answer = alice.swap(receiver.photo(FACE), receiver.photo("missing.jpg"))

    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (400, "bad_request")
    assert "target_image_url" in body["error"]["message"]
    assert receiver.url not in body["error"]["message"]
    assert alice.quota() == before


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/face.jpg",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]/face.jpg",
        "http://2130706433/face.jpg",
        "http://10.0.0.1/face.jpg",
        "https://example.com:8443/face.jpg",
        "ftp://example.com/face.jpg",
        "file:///etc/passwd",
        "face.jpg",
        "data:image/png;base64,%%%",
        "data:text/html,<p>hello</p>",
        "{site}/files/forged/",
        "",
    ],
)
def test_a_url_that_may_not_be_fetched_is_refused_at_once(
    alice: BareClient, samples: Samples, url: str
) -> None:
    before = alice.quota()

    answer = alice.swap(url.format(site=alice.url), samples[1], is_async=True)

    body = answer.json()
    assert (answer.status_code, body["error"]["code"]) == (400, "bad_request")
    assert "source_image_url" in body["error"]["message"]
    assert alice.quota() == before


def test_a_broken_picture_in_the_body_is_an_invalid_image(alice: BareClient) -> None:
    whole = (PHOTOS / FACE).read_bytes()

    answer = alice.swap(data_url(whole), data_url(b"\xff\xd8\xff" + whole[2000:2400]))

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_image")


def test_the_samples_of_the_documentation_are_there(samples: Samples) -> None:
    answers = [requests.get(url, timeout=60) for url in samples]

    assert [answer.status_code for answer in answers] == [200, 200]
