"""The contract of the store, on disk and (where there is one) on a real S3 server."""

import errno
import tracemalloc
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.core.files.storage import default_storage
from django.http import FileResponse
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from swaps import links, storage
from swaps.clock.retention import sweep_stray
from swaps.lifecycle import photos
from swaps.lifecycle.photos import load_photo
from swaps.lifecycle.request import request_swap
from swaps.lifecycle.uploads import keep_upload
from swaps.models import Swap, Upload, User
from swaps.models.stray_files import ABANDONED_AFTER
from swaps.sizes import SIDES
from swaps.views.pictures import picture_response
from tests import s3_server
from tests.pictures import photo
from tests.running import wait_until

MB = 1_000_000


@pytest.fixture(params=["disk", "s3"])
def key(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    if request.param == "s3":
        s3_server.use(settings, monkeypatch)
    key = f"tests/{uuid.uuid4()}/photo.jpg"
    yield key
    storage.delete([key])


def test_what_is_put_can_be_read(key: str) -> None:
    storage.put(key, b"some bytes")
    assert storage.read(key) == b"some bytes"
    with storage.open_file(key) as file:
        assert file.size == 10
        assert file.read() == b"some bytes"


def test_putting_again_replaces(key: str) -> None:
    storage.put(key, b"first")
    storage.put(key, b"second")
    assert storage.read(key) == b"second"


def test_what_is_deleted_is_gone_with_its_copies_and_deleting_again_is_no_error(
    key: str,
) -> None:
    storage.put(key, b"photo")
    storage.put_copies(key, dict.fromkeys(SIDES, b"small"))
    storage.delete([key, ""])
    storage.delete([key])
    for gone in (key, *storage.copy_keys(key)):
        with pytest.raises(FileNotFoundError):
            storage.read(gone)
        with pytest.raises(FileNotFoundError):
            storage.open_file(gone)


@pytest.mark.django_db
def test_what_a_killed_process_stored_is_found_without_listing_the_store(key: str) -> None:
    owner = User.objects.create_user("killed@example.com", "correct horse battery")
    writing = photos.store_photos(owner, {key: photo()})
    writing.__enter__()  # and never comes back
    sweep_stray(timezone.now())
    assert storage.read(key)
    for _ in range(2):
        sweep_stray(timezone.now() + ABANDONED_AFTER)
    for gone in (key, *storage.copy_keys(key)):
        with pytest.raises(FileNotFoundError):
            storage.read(gone)


def test_a_large_file_is_read_in_pieces_and_never_held_as_a_whole(key: str) -> None:
    storage.put(key, bytes(30 * MB))
    tracemalloc.start()
    try:
        with storage.open_file(key) as file:
            read = sum(len(piece) for piece in file.chunks())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read == 30 * MB
    assert peak < 1 * MB


@pytest.mark.django_db  # a response that is closed looks after the connections
def test_a_view_streams_a_picture_and_lets_go_of_it(key: str) -> None:
    storage.put(key, bytes(2 * MB))
    response = picture_response(RequestFactory().get("/"), key)
    assert isinstance(response, FileResponse)
    assert response["Content-Length"] == str(2 * MB)
    assert response["Content-Type"] == "image/jpeg"
    pieces = iter(response)
    assert 0 < len(next(pieces)) < 1 * MB
    stored = response.file_to_stream
    assert stored is not None
    response.close()
    assert stored.closed


@pytest.mark.django_db
def test_who_asks_for_the_headers_of_a_picture_gets_nothing_else(key: str) -> None:
    storage.put(key, bytes(2 * MB))
    response = picture_response(RequestFactory().head("/"), key)
    assert not isinstance(response, FileResponse)
    assert (response["Content-Length"], response["Content-Type"]) == (str(2 * MB), "image/jpeg")


def test_a_presigned_url_is_known_as_ours_without_asking_the_store(key: str) -> None:
    url = storage.presigned_url(key, 60)
    assert links.key_of_own_url(url) == key


def test_a_presigned_url_that_was_tampered_with_or_expired_stands_for_nothing(key: str) -> None:
    url = storage.presigned_url(key, 60)
    assert links.key_of_own_url(_with_last_character_changed(url)) == ""
    short = storage.presigned_url(key, 1)
    assert wait_until(lambda: links.key_of_own_url(short) == "")


def test_other_urls_are_not_ours(key: str) -> None:
    for url in ("https://example.org/photo.jpg", "http://127.0.0.1:9000/other/photo.jpg?a=b", ""):
        assert links.key_of_own_url(url) is None


def test_a_presigned_url_gives_the_file_to_anybody_until_it_expires(key: str) -> None:
    storage.put(key, b"for a while")
    answer = _get(storage.presigned_url(key, 60))
    assert (answer.status, answer.body) == (200, b"for a while")
    short = storage.presigned_url(key, 1)
    assert wait_until(lambda: _get(short).status in {403, 404})


def test_a_picture_comes_with_its_type_its_name_and_no_leave_for_shared_caches(key: str) -> None:
    storage.put(key, b"photo")
    storage.put(storage.copy_key(key, 640), b"thumb")
    photo = _get(storage.presigned_url(key, 60)).headers
    thumb = _get(storage.presigned_url(storage.copy_key(key, 640), 60)).headers
    assert photo["Content-Type"] == "image/jpeg"
    assert thumb["Content-Type"] == "image/webp"
    assert photo["Content-Disposition"] == 'inline; filename="photo.jpg"'
    assert photo["Content-Length"] == "5"
    assert "private" in photo["Cache-Control"]


def test_a_tampered_presigned_url_is_refused(key: str) -> None:
    storage.put(key, b"secret")
    url = storage.presigned_url(key, 60)
    assert _get(_with_last_character_changed(url)).status in {403, 404}


def test_the_store_says_that_it_is_alive(key: str) -> None:
    assert storage.probe()


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


def _get(url: str) -> _Answer:
    if urlsplit(url).port == 8000:  # ours: the disk's URLs are answered by the site itself
        answer = Client().get(urlsplit(url).path)
        return _Answer(status=answer.status_code, body=answer.getvalue(), headers=answer.headers)
    response = requests.get(url, timeout=60)
    return _Answer(status=response.status_code, body=response.content, headers=response.headers)


def _with_last_character_changed(url: str) -> str:
    text = url.rstrip("/")
    return text[:-1] + ("A" if text[-1] != "A" else "B") + url[len(text) :]


# --- A photo and its small copies -----------------------------------------------------------------


class FullForCopies(storage.DiskStorage):
    """A store that takes photos, and has no room left for what comes after."""

    def save(self, name: str | None, content: Any, max_length: int | None = None) -> str:
        if (name or "").endswith(".1600.webp"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().save(name, content, max_length)


@pytest.mark.parametrize("what", ["swap", "kept upload"])
def test_a_photo_whose_copies_cannot_be_stored_is_not_left_behind(
    alice: User, settings: Settings, what: str
) -> None:
    full = {"BACKEND": f"{__name__}.FullForCopies", "OPTIONS": {"allow_overwrite": True}}
    settings.STORAGES = {**settings.STORAGES, "default": full}
    store: dict[str, Callable[[], object]] = {
        "swap": lambda: request_swap(alice, photo(), photo()),
        "kept upload": lambda: keep_upload(alice, photo()),
    }
    with pytest.raises(OSError, match="No space"):
        store[what]()
    assert not Swap.objects.exists()
    assert not Upload.objects.exists()
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_a_stored_photo_is_loaded_with_the_copies_that_it_has(alice: User) -> None:
    given = photo()
    upload = keep_upload(alice, given)
    assert load_photo(upload.key) == given
    default_storage.delete(storage.copy_key(upload.key, 1600))
    loaded = load_photo(upload.key)
    assert set(loaded.copies) == {160, 640}
    assert request_swap(alice, given, given).has_sizes
    assert not request_swap(alice, given, loaded).has_sizes
