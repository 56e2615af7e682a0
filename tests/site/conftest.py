"""The cast: alice owns swaps, charlie is a stranger, staff moderate. Pictures are real files."""

import io

import pytest
from django.test import Client
from PIL import Image

from swaps import images
from swaps.lifecycle.request import request_swap
from swaps.lifecycle.settle import settle
from swaps.models import Swap, User
from swaps.provenance import xmp
from swaps.providers.base import Finished


@pytest.fixture
def alice(db: None) -> User:
    return User.objects.create_user("alice@example.com", "correct horse battery")


@pytest.fixture
def charlie(db: None) -> User:
    return User.objects.create_user("charlie@example.com", "correct horse battery")


@pytest.fixture
def staff(db: None) -> User:
    return User.objects.create_superuser("staff@example.com", "correct horse battery")


@pytest.fixture
def as_alice(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def as_charlie(charlie: User) -> Client:
    return signed_in(charlie)


@pytest.fixture
def as_staff(staff: User) -> Client:
    return signed_in(staff)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def picture(colour: str = "tan", size: tuple[int, int] = (40, 30), format: str = "JPEG") -> bytes:  # noqa: A002
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, format)
    return out.getvalue()


def photo(colour: str = "tan") -> images.Photo:
    data = picture(colour)
    return images.accept(io.BytesIO(data), size=len(data), max_bytes=10**6, max_pixels=10**6)


def finished(colour: str = "olive") -> Finished:
    result = Image.new("RGB", (40, 30), colour)
    return Finished(
        data=images.encode(result, "jpeg", xmp=xmp.ai_xmp()),
        thumbnail=images.thumbnail(result),
        extension=".jpg",
        width=40,
        height=30,
        warnings=("yaw",),
    )


def queued_swap(owner: User) -> Swap:
    return request_swap(owner, photo("tan"), photo("navy"))


def finished_swap(owner: User) -> Swap:
    swap = queued_swap(owner)
    assert swap.claim()
    settle(swap, finished())
    swap.refresh_from_db()
    return swap
