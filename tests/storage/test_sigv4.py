"""URLs of the bucket: where they lead, who signed them, and what they stand for here."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from pytest_django import Settings

from swaps import links, storage
from tests import s3_server
from tests.net_servers import answer, says, serving
from tests.s3_server import KEY, NOWHERE, at


@pytest.fixture
def use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket as this environment describes it; nobody is asked before it is used."""
    return lambda **more: s3_server.use_bucket(settings, monkeypatch, **{**NOWHERE, **more})


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "endpoint", "start"),
    [
        ("path", "https://s3.example.org", "https://s3.example.org/faces/tests/photo.jpg?"),
        ("virtual", "https://s3.example.org", "https://faces.s3.example.org/tests/photo.jpg?"),
        ("auto", "https://s3.example.org", "https://s3.example.org/faces/tests/photo.jpg?"),
        ("auto", "", "https://faces.s3.eu-central-1.amazonaws.com/tests/photo.jpg?"),
        ("path", "", "https://s3.eu-central-1.amazonaws.com/faces/tests/photo.jpg?"),
    ],
)
def test_the_bucket_stands_in_the_path_or_in_the_host(
    use: Any, style: str, endpoint: str, start: str
) -> None:
    use(AWS_S3_ADDRESSING_STYLE=style, AWS_S3_ENDPOINT_URL=endpoint)
    url = storage.presigned_url(KEY, 60)
    assert url.startswith(start)
    assert links.key_of_own_url(url) == KEY


def test_at_a_public_address_the_bucket_stands_in_the_path_unless_told_otherwise(use: Any) -> None:
    use(AWS_S3_ENDPOINT_URL="", AWS_S3_PUBLIC_ENDPOINT_URL="https://pictures.example.org")
    assert storage.presigned_url(KEY, 60).startswith("https://pictures.example.org/faces/tests/")
    use(AWS_S3_PUBLIC_ENDPOINT_URL="https://example.org", AWS_S3_ADDRESSING_STYLE="virtual")
    assert storage.presigned_url(KEY, 60).startswith("https://faces.example.org/tests/")


def test_others_get_urls_of_the_public_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_server.use(settings, monkeypatch, AWS_S3_PUBLIC_ENDPOINT_URL="http://localhost:9000/")
    storage.put(KEY, b"photo")
    url = storage.presigned_url(KEY, 60)
    assert urlsplit(url).netloc == "localhost:9000"
    assert requests.get(url, timeout=60).content == b"photo"
    elsewhere = url.replace("localhost", "127.0.0.1")
    assert requests.get(elsewhere, timeout=60).status_code == 403  # the host is signed
    assert links.key_of_own_url(url) == KEY
    assert links.key_of_own_url(elsewhere) is None
    storage.delete([KEY])


# --- keys -----------------------------------------------------------------------------------------


def test_a_url_that_other_keys_have_signed_is_left_to_the_server(use: Any) -> None:
    use(AWS_ACCESS_KEY_ID="yesterdays-key")
    url = storage.presigned_url(KEY, 60)
    use()
    assert links.key_of_own_url(url) is None


def test_a_url_of_the_bucket_without_a_signature_stands_for_nothing(use: Any) -> None:
    use()
    url = storage.presigned_url(KEY, 60)
    assert links.key_of_own_url(url.partition("?")[0]) == ""


def test_a_session_token_is_part_of_the_signature(use: Any) -> None:
    use(AWS_SESSION_TOKEN="a-token/of+them==")
    url = storage.presigned_url(KEY, 60)
    assert parse_qs(urlsplit(url).query)["X-Amz-Security-Token"] == ["a-token/of+them=="]
    assert links.key_of_own_url(url) == KEY
    assert links.key_of_own_url(url.replace("a-token", "b-token")) == ""


def test_without_keys_the_machines_role_is_asked_for_some(
    use: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container of AWS; a machine's own address cannot be played."""
    keys = {
        "AccessKeyId": "the-roles-key",
        "SecretAccessKey": "the-roles-secret",
        "Token": "the-roles-token",
        "Expiration": "2100-01-01T00:00:00Z",
    }
    with serving(says(answer(json.dumps(keys).encode()))) as role:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{at(role.port)}/role")
        use(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
        urls = [storage.presigned_url(KEY, 60) for _ in range(3)]
        assert links.key_of_own_url(urls[0]) == KEY
    assert len(role.requests) == 1
    query = parse_qs(urlsplit(urls[0]).query)
    assert query["X-Amz-Credential"][0].startswith("the-roles-key/")
    assert query["X-Amz-Security-Token"] == ["the-roles-token"]
