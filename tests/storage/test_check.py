"""``manage.py storage_check``: what is wrong with a store is said in words that help."""

import io
import os
import re
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from swaps.storage.check import Expiry
from tests import s3_server
from tests.net_servers import Behaviour, Peer, Server, answer, certificate_for, serving
from tests.parts import on_one_database

pytestmark = on_one_database

SOON = Expiry(seconds=1, grace=0.1)
NOT_WELL = "The site cannot use this store as it is."
OFFLINE = {
    "AWS_STORAGE_BUCKET_NAME": "faces",
    "AWS_ACCESS_KEY_ID": "an-access-key",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
}


@pytest.fixture
def use(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The real server, and what is different."""
    return lambda **more: s3_server.use(settings, monkeypatch, **more)


@pytest.fixture
def use_played(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A server that the test plays."""
    return lambda **more: s3_server.use_bucket(settings, monkeypatch, **{**OFFLINE, **more})


def message(*, is_well: bool = False) -> str:
    out = io.StringIO()
    check = partial(call_command, "storage_check", stdout=out, expiry=SOON)
    if is_well:
        check()
    else:
        with pytest.raises(CommandError, match=NOT_WELL):
            check()
    text = out.getvalue()
    for secret in ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"):
        assert (os.environ.get(secret) or "a-secret") not in text
    assert "X-Amz" not in text
    return text


def failures(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("✗")]


# --- on disk --------------------------------------------------------------------------------------


def test_the_folder_on_disk_is_well() -> None:
    text = message(is_well=True)
    assert text.count("✓") == 6
    assert "a URL stops working in time" in text


def test_a_folder_that_cannot_be_written_to_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where a folder should be")
    settings.MEDIA_ROOT = tmp_path / "media"
    (failure,) = failures(message())
    assert str(tmp_path / "media") in failure
    assert "FACESWAP_VAR" in failure


# --- a real bucket --------------------------------------------------------------------------------


def test_a_private_bucket_is_well_and_left_as_it_was(use: Any) -> None:
    with s3_server.own_bucket() as bucket:
        use(AWS_STORAGE_BUCKET_NAME=bucket)
        text = message(is_well=True)
        assert text.count("✓") == 12
        assert "60 s" in text
        assert s3_server.client().list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_bucket_is_well_at_a_public_address_of_its_own(use: Any) -> None:
    use(AWS_S3_PUBLIC_ENDPOINT_URL="http://localhost:9000")
    assert "for others at localhost:9000" in message(is_well=True)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("AWS_STORAGE_BUCKET_NAME", "no-such-bucket", "There is no bucket no-such-bucket"),
        ("AWS_ACCESS_KEY_ID", "NOBODYSKEY", "Correct AWS_ACCESS_KEY_ID"),
        ("AWS_SECRET_ACCESS_KEY", "not-this-one", "Correct AWS_SECRET_ACCESS_KEY"),
        ("AWS_S3_ENDPOINT_URL", "http://127.0.0.1:1", "Nothing answers at 127.0.0.1:1"),
        ("AWS_S3_PUBLIC_ENDPOINT_URL", "http://127.0.0.1:1", "Nothing answers at 127.0.0.1:1"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_further_is_tried(
    use: Any, name: str, value: str, words: str
) -> None:
    use(**{name: value})
    text = message()
    assert words in text.splitlines()[-1]
    assert len(failures(text)) == 1


def test_without_keys_it_says_which_to_set(use: Any) -> None:
    use(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    (failure,) = failures(message())
    assert "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in failure


def test_a_bucket_that_anybody_can_read_is_found_out(use: Any) -> None:
    with s3_server.own_bucket() as bucket:
        s3_server.set_policy(bucket, "Allow", "s3:GetObject", "s3:ListBucket")
        use(AWS_STORAGE_BUCKET_NAME=bucket)
        found = failures(message())
    assert [line.partition(":")[0] for line in found] == [
        "✗ without a signature it is refused",
        "✗ strangers cannot list the bucket",
    ]
    assert "Block Public Access" in found[0]


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"])
def test_what_the_policy_forbids_is_named(use: Any, action: str) -> None:
    with s3_server.own_bucket() as bucket:
        s3_server.set_policy(bucket, "Deny", action)
        use(AWS_STORAGE_BUCKET_NAME=bucket)
        assert f"{action} is missing. Allow it for {bucket}/*" in message()


def test_a_file_that_could_not_be_deleted_is_named(use: Any) -> None:
    with s3_server.own_bucket() as bucket:
        s3_server.set_policy(bucket, "Deny", "s3:DeleteObject")
        use(AWS_STORAGE_BUCKET_NAME=bucket)
        (failure,) = failures(message())
        (left,) = s3_server.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert left["Key"] in failure


def test_a_rule_that_lets_other_sites_read_is_found_out(use: Any) -> None:
    rule: Any = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "AllowedHeaders": ["*"]}
    with s3_server.own_bucket() as bucket:
        s3_server.client().put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
        use(AWS_STORAGE_BUCKET_NAME=bucket)
        (failure,) = failures(message())
    assert "delete the bucket's CORS configuration" in failure


def test_a_bucket_that_keeps_what_was_deleted_is_remarked_upon(use: Any) -> None:
    with s3_server.own_bucket() as bucket:
        s3_server.client().put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
        )
        use(AWS_STORAGE_BUCKET_NAME=bucket)
        assert "the bucket has versions, which keep what people delete" in message(is_well=True)


def test_encryption_that_the_server_does_not_do_is_found_out(use: Any) -> None:
    """This one takes the header and stores the file as it is."""
    use(AWS_S3_ENCRYPTION="AES256")
    (failure,) = failures(message())
    assert "AWS_S3_ENCRYPTION=AES256 is set, but" in failure


# --- servers of our own ---------------------------------------------------------------------------


def test_a_clock_that_is_off_is_told_in_minutes(use_played: Any) -> None:
    with serving(refuses("RequestTimeTooSkewed", seconds=-3600)) as server:
        use_played(AWS_S3_ENDPOINT_URL=f"http://127.0.0.1:{server.port}")
        clock, put = failures(message())
    assert "The clock of this machine is 60 minutes ahead." in clock
    assert "too far from the server's. Set it by NTP." in put


def test_a_clock_that_is_a_little_off_is_told_in_seconds(use_played: Any) -> None:
    with serving(refuses("AccessDenied", seconds=90)) as server:
        use_played(AWS_S3_ENDPOINT_URL=f"http://127.0.0.1:{server.port}")
        clock, put = failures(message())
    assert re.search(r"The clock of this machine is (89|90) s behind\.", clock)
    assert "s3:PutObject is missing" in put


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AuthorizationHeaderMalformed", "in another region (eu-west-7). Correct AWS_S3_REGION"),
        ("AccessDenied", "s3:PutObject (or kms:GenerateDataKey) is missing"),
        ("NotImplemented", "If AWS_S3_ENCRYPTION is set, unset it. The server says so."),
        ("ExpiredToken", "The temporary keys have expired"),
        ("Unheard", "The server answered Unheard to PutObject. The server says so."),
    ],
)
def test_what_the_server_refuses_is_put_into_words(use_played: Any, code: str, words: str) -> None:
    with serving(refuses(code)) as server:
        use_played(
            AWS_S3_ENDPOINT_URL=f"http://127.0.0.1:{server.port}", AWS_S3_ENCRYPTION="aws:kms"
        )
        (failure,) = failures(message())
    assert words in failure


def test_a_certificate_that_is_not_trusted_is_told_from_silence(
    use_played: Any, tmp_path: Path
) -> None:
    _, tls = certificate_for(tmp_path, [])
    with serving(refuses("Unheard"), tls=tls) as server:
        use_played(AWS_S3_ENDPOINT_URL=f"https://127.0.0.1:{server.port}")
        (failure,) = failures(message())
    assert f"TLS with 127.0.0.1:{server.port} fails" in failure
    assert "AWS_CA_BUNDLE" in failure


def test_a_store_that_shows_everything_to_everybody_fails_each_promise(use_played: Any) -> None:
    """A web server in the place of the bucket, or a cache that ignores the query."""
    kept: dict[bytes, bytes] = {}
    servers: list[Server] = []

    def behave(peer: Peer) -> None:
        head, _, body = servers[0].requests[-1].partition(b"\r\n\r\n")
        method, address = head.split(b" ", 2)[:2]
        path = address.partition(b"?")[0]
        if method == b"PUT":
            kept[path] = body
        more = 'ETag: "1"\r\nConnection: close\r\nAccess-Control-Allow-Origin: *\r\n'
        shown = kept.get(path, b"a list") if method == b"GET" else b""
        peer.send(answer(shown, head=more))

    with serving(behave) as server:
        servers.append(server)
        use_played(AWS_S3_ENDPOINT_URL=f"http://127.0.0.1:{server.port}")
        found = [line.partition(":")[0][2:] for line in failures(message())]
    assert found == [
        "its presigned URL shows it, with the right headers",
        "a URL that was changed is refused",
        "without a signature it is refused",
        "strangers cannot list the bucket",
        "scripts of other sites cannot read it",
        "a URL stops working in time",
        "a deleted file is gone",
    ]


def refuses(code: str, *, seconds: float = 0) -> Behaviour:
    """403 with this code to everybody; its clock is off by so many seconds."""

    def behave(peer: Peer) -> None:
        body = (
            f"<Error><Code>{code}</Code><Message>The server says so.</Message>"
            "<Region>eu-west-7</Region></Error>"
        )
        head = f"Date: {formatdate(time.time() + seconds, usegmt=True)}\r\nConnection: close\r\n"
        peer.send(answer(body.encode(), status=403, head=head))

    return behave
