"""What is the bucket's own: requests, addresses, keys, encryption, broken connections."""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ResponseStreamingError, SSLError
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import File
from django.core.files.storage import default_storage
from pytest_django import Settings

from faceswap_site import s3
from swaps import storage
from tests import s3_server
from tests.net_servers import Peer, answer, certificate_for, says, serving
from tests.paths import ROOT
from tests.s3_server import KEY, NOWHERE, at


@pytest.fixture
def use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket as this environment describes it; nobody is asked before it is used."""
    return lambda **more: s3_server.use_bucket(settings, monkeypatch, **{**NOWHERE, **more})


def ok(body: bytes = b"", *, status: int = 200) -> bytes:
    return answer(body, status=status, head='ETag: "1"\r\nConnection: close\r\n')


# --- requests -------------------------------------------------------------------------------------


def test_a_put_is_one_request_that_says_what_the_picture_is(use: Any) -> None:
    with serving(says(ok())) as server:
        use(AWS_S3_ENDPOINT_URL=at(server.port))
        storage.put(KEY, b"photo")
        storage.put(storage.copy_key(KEY, 640), b"thumb")
    photo, thumb = (_parsed(request) for request in server.requests)
    assert photo["first"] == "PUT /faces/tests/photo.jpg HTTP/1.1"
    assert photo["content-type"] == "image/jpeg"
    assert photo["content-disposition"] == 'inline; filename="photo.jpg"'
    assert photo["cache-control"] == "private, max-age=3600"
    assert photo["content-length"] == "5"
    assert "expect" not in photo  # that would be another round
    assert not [name for name in photo if "checksum" in name or "encryption" in name]
    assert thumb["content-type"] == "image/webp"


def test_opening_is_one_request(use: Any) -> None:
    with serving(says(ok(b"photo"))) as server:
        use(AWS_S3_ENDPOINT_URL=at(server.port))
        assert storage.read(KEY) == b"photo"
    assert [_parsed(request)["first"][:4] for request in server.requests] == ["GET "]


def test_a_file_on_disk_is_sent_in_pieces_and_never_held_as_a_whole(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_server.use(settings, monkeypatch)
    with tempfile.TemporaryFile() as file:
        file.write(bytes(30_000_000))
        storage.probe()  # the client is made
        tracemalloc.start()
        try:
            default_storage.save(KEY, File(file))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    with storage.open_file(KEY) as stored:
        assert stored.size == 30_000_000
    storage.delete([KEY])
    assert peak < 3_000_000


def test_encryption_is_asked_for_by_the_environment(use: Any) -> None:
    with serving(says(ok())) as server:
        use(AWS_S3_ENDPOINT_URL=at(server.port), AWS_S3_ENCRYPTION="AES256")
        storage.put(KEY, b"photo")
        use(
            AWS_S3_ENDPOINT_URL=at(server.port),
            AWS_S3_ENCRYPTION="aws:kms",
            AWS_S3_KMS_KEY_ID="a-key-of-ours",
        )
        storage.put(KEY, b"photo")
    plain, kms = (_parsed(request) for request in server.requests)
    assert plain["x-amz-server-side-encryption"] == "AES256"
    assert kms["x-amz-server-side-encryption"] == "aws:kms"
    assert kms["x-amz-server-side-encryption-aws-kms-key-id"] == "a-key-of-ours"


def test_threads_share_one_client(use: Any) -> None:
    use()
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda: found.append(default_storage.client))  # type: ignore[attr-defined]
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(client) for client in found}) == 1


# --- what goes wrong on the way -------------------------------------------------------------------


def test_a_put_that_the_server_cannot_take_now_is_tried_again(use: Any) -> None:
    with serving(says(ok(status=503), ok())) as server:
        use(AWS_S3_ENDPOINT_URL=at(server.port))
        storage.put(KEY, b"photo")
    assert len(server.requests) == 2


def test_a_read_that_breaks_off_goes_on_where_it_broke(use: Any) -> None:
    with serving(_breaks_off_after(b"the first half, ", b"the second half")) as server:
        use(AWS_S3_ENDPOINT_URL=at(server.port))
        with storage.open_file(KEY) as file:
            assert b"".join(file.chunks(8)) == b"the first half, the second half"
    _, again = (_parsed(request) for request in server.requests)
    assert again["range"] == "bytes=16-"
    assert again["if-match"] == '"1"'  # another picture's second half would not fit


def test_a_read_that_breaks_off_each_time_is_given_up(use: Any) -> None:
    with serving(_breaks_off_after(b"")) as server:
        use(AWS_S3_ENDPOINT_URL=at(server.port))
        with pytest.raises(ResponseStreamingError):
            storage.read(KEY)
    assert len(server.requests) == 4


def test_a_bucket_that_is_missing_is_not_taken_for_a_picture_that_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_server.use(settings, monkeypatch, AWS_STORAGE_BUCKET_NAME="no-such-bucket")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        storage.read(KEY)


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"AWS_S3_ENCRYPTION": "rot13"}, "AWS_S3_ENCRYPTION='rot13': expected one of"),
        ({"AWS_S3_KMS_KEY_ID": "a-key"}, "AWS_S3_KMS_KEY_ID: expected AWS_S3_ENCRYPTION=aws:kms"),
        ({"AWS_S3_ADDRESSING_STYLE": "dns"}, "AWS_S3_ADDRESSING_STYLE='dns': expected one of"),
        ({"AWS_S3_ENDPOINT_URL": "s3.lan"}, "AWS_S3_ENDPOINT_URL='s3.lan': expected an address"),
        ({"AWS_S3_PUBLIC_ENDPOINT_URL": "cdn"}, "AWS_S3_PUBLIC_ENDPOINT_URL='cdn': expected an"),
        ({"AWS_SECRET_ACCESS_KEY": ""}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: expected"),
    ],
)
def test_a_setting_that_cannot_be_understood_is_named(
    use: Any, environment: dict[str, str], message: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        use(**environment)


def test_urls_cannot_be_made_to_live_longer_than_s3_allows() -> None:
    with pytest.raises(ImproperlyConfigured, match="FACESWAP_SIGNED_URL_SECONDS=604801"):
        s3.storage("faces", 604_801)


def test_certificates_are_checked_and_an_empty_setting_counts_as_unset(
    use: Any, tmp_path: Path
) -> None:
    _, tls = certificate_for(tmp_path, [])
    with serving(says(ok()), tls=tls) as server:
        use(AWS_S3_ENDPOINT_URL=f"https://127.0.0.1:{server.port}", AWS_CA_BUNDLE="")
        with pytest.raises(SSLError):
            storage.put(KEY, b"photo")


def test_the_lifecycle_of_the_documentation_is_one_that_a_server_takes() -> None:
    text = (ROOT / "docs" / "storage.md").read_text(encoding="utf-8")
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    lifecycle = next(block for block in blocks if "Rules" in block)
    with s3_server.own_bucket() as bucket:
        client = s3_server.client()
        client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=lifecycle)
        taken = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {rule["ID"] for rule in taken} == {rule["ID"] for rule in lifecycle["Rules"]}


def test_a_process_that_touches_no_picture_does_not_load_botocore(tmp_path: Path) -> None:
    program = "import sys, django; django.setup(); print('botocore' in sys.modules)"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        **NOWHERE,
        "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
        "FACESWAP_VAR": str(tmp_path),
    }
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.strip() == "False"


# --- the other side -------------------------------------------------------------------------------


def _breaks_off_after(*pieces: bytes) -> Any:
    """Sends a piece to each connection and announces what is left of all; then it hangs up."""

    def behave(peer: Peer) -> None:
        rest = b"".join(pieces[peer.number :])
        mine = pieces[peer.number] if peer.number < len(pieces) else b""
        length = len(rest) or 100
        head = f'HTTP/1.1 200 Fine\r\nContent-Length: {length}\r\nETag: "1"\r\n\r\n'
        peer.send(head.encode() + mine)

    return behave


def _parsed(request: bytes) -> dict[str, str]:
    """Headers in small letters; ``first`` is the first line."""
    first, *lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return {"first": first, **{name.lower(): value for name, value in headers.items()}}
