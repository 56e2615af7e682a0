"""The contract of the store, on disk and (where there is one) on a real S3 server."""

import os
import time
import uuid
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from django.core.files.storage import storages
from django.test import Client
from pytest_django import Settings

from faceswap_site import s3
from swaps import links, storage
from tests.parts import require


@pytest.fixture(params=["disk", "s3"])
def key(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    if request.param == "s3":
        _use_s3(settings, monkeypatch)
    key = f"tests/{uuid.uuid4()}/photo.jpg"
    yield key
    storage.delete([key])


def test_what_is_put_can_be_read(key: str) -> None:
    storage.put(key, b"some bytes")
    assert storage.read(key) == b"some bytes"
    with storage.open_file(key) as file:
        assert file.read() == b"some bytes"


def test_putting_again_replaces(key: str) -> None:
    storage.put(key, b"first")
    storage.put(key, b"second")
    assert storage.read(key) == b"second"


def test_what_is_deleted_is_gone_with_its_thumbnail_and_deleting_again_is_no_error(
    key: str,
) -> None:
    storage.put(key, b"photo")
    storage.put(storage.thumb_key(key), b"thumb")
    storage.delete([key, ""])
    storage.delete([key])
    for gone in (key, storage.thumb_key(key)):
        with pytest.raises(FileNotFoundError):
            storage.read(gone)


def test_a_presigned_url_is_known_as_ours_without_asking_the_store(key: str) -> None:
    url = storage.presigned_url(key, 60)
    assert links.key_of_own_url(url) == key


def test_a_presigned_url_that_was_tampered_with_or_expired_stands_for_nothing(key: str) -> None:
    url = storage.presigned_url(key, 60)
    assert links.key_of_own_url(_with_last_character_changed(url)) == ""
    short = storage.presigned_url(key, 1)
    time.sleep(2.1)
    assert links.key_of_own_url(short) == ""


def test_other_urls_are_not_ours(key: str) -> None:
    for url in ("https://example.org/photo.jpg", "http://127.0.0.1:9000/other/photo.jpg?a=b", ""):
        assert links.key_of_own_url(url) is None


def test_a_presigned_url_gives_the_file_to_anybody_until_it_expires(key: str) -> None:
    storage.put(key, b"for a while")
    assert _get(storage.presigned_url(key, 60)) == (200, b"for a while")
    short = storage.presigned_url(key, 1)
    time.sleep(2.1)  # signatures count whole seconds
    assert _get(short)[0] in {403, 404}


def test_a_tampered_presigned_url_is_refused(key: str) -> None:
    storage.put(key, b"secret")
    url = storage.presigned_url(key, 60)
    end = url.rstrip("/")[-1]
    tampered = url.rstrip("/")[:-1] + ("A" if end != "A" else "B") + url[len(url.rstrip("/")) :]
    assert _get(tampered)[0] in {403, 404}


def test_the_store_says_that_it_is_alive(key: str) -> None:
    assert storage.is_alive()


def _get(url: str) -> tuple[int, bytes]:
    if urlsplit(url).port == 8000:  # ours: the disk's URLs are answered by the site itself
        answer = Client().get(urlsplit(url).path)
        return answer.status_code, answer.getvalue()
    response = requests.get(url, timeout=10)
    return response.status_code, response.content


def _use_s3(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    require("s3")
    for name, value in os.environ.items():
        if name.startswith("TEST_AWS_"):
            monkeypatch.setenv(name.removeprefix("TEST_"), value)
    bucket = os.environ["AWS_STORAGE_BUCKET_NAME"]
    settings.STORAGES = {**settings.STORAGES, "default": s3.storage(bucket, 60)}
    assert storages["default"].__class__.__name__ == "S3Storage"


def _with_last_character_changed(url: str) -> str:
    text = url.rstrip("/")
    return text[:-1] + ("A" if text[-1] != "A" else "B") + url[len(text) :]
