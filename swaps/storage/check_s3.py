"""The steps of ``manage.py storage_check`` for S3: access, headers, clock, CORS, connection."""

import datetime
from email.utils import parsedate_to_datetime

import requests
from botocore.exceptions import ClientError
from django.utils import timezone

from swaps import storage
from swaps.storage import check, s3_errors
from swaps.storage.check import CheckFailed, Step, StoreResponse
from swaps.storage.s3 import BucketStorage

TIMEOUT = (5, 30)
MAX_SECONDS_APART = 60
STRANGER = "https://stranger.example"


def bucket_steps(store: BucketStorage, key: str, expiry: check.Expiry) -> list[Step]:
    """Return the steps for a bucket."""

    def fetch(url: str) -> StoreResponse:
        return send_request(store, url)

    return [
        Step(promise="the server answers", run=lambda: check_connection(store), is_vital=True),
        Step(promise="its clock and ours agree", run=lambda: check_clock(store)),
        Step(promise="a file can be stored", run=lambda: check.check_put(key), is_vital=True),
        Step(promise="it is read back as it was stored", run=lambda: check.check_read(key)),
        Step(
            promise="its presigned URL shows it, with the right headers",
            run=lambda: check_presigned_url(store, key),
        ),
        Step(
            promise="a URL that was changed is refused",
            run=lambda: check.check_changed_url(fetch, key),
        ),
        Step(
            promise="without a signature it is refused", run=lambda: check_unsigned_url(store, key)
        ),
        Step(promise="strangers cannot list the bucket", run=lambda: check_listing(store)),
        Step(promise="scripts of other sites cannot read it", run=lambda: check_cors(store, key)),
        Step(
            promise="a URL stops working in time",
            run=lambda: check.check_expiry(fetch, key, expiry, seconds_behind),
        ),
        Step(promise="URLs live as long as they should", run=lambda: report_lifetime(store)),
        Step(promise="a deleted file is gone", run=lambda: check_delete(store, key)),
    ]


# --- steps ----------------------------------------------------------------------------------------


def check_connection(store: BucketStorage) -> str:
    for base in bucket_urls(store):
        send_request(store, base)
    return ""


def check_clock(store: BucketStorage) -> str:
    apart = seconds_behind(send_request(store, bucket_urls(store)[0]))
    if abs(apart) > MAX_SECONDS_APART:
        direction = "ahead" if apart > 0 else "behind"
        raise CheckFailed(
            f"The clock of this machine is {_duration(abs(apart))} {direction}"
            ". URLs end too early or too late, and from 15 minutes on S3 refuses every request. "
            "Set it by NTP."
        )
    return ""


def check_presigned_url(store: BucketStorage, key: str) -> str:
    answer = send_request(store, storage.presigned_url(key, 60))
    if answer.status != 200:
        raise CheckFailed(s3_errors.explain_response(answer.status, answer.body, store))
    if answer.body != check.DATA:
        raise CheckFailed("Something else came than was stored. Is a cache in between?")
    promised = store.get_object_parameters(key)
    expected = {
        "Content-Type": promised["ContentType"],
        "Content-Disposition": promised["ContentDisposition"],
        "Cache-Control": promised["CacheControl"],
    }
    wrong = [
        f"{name} is “{answer.headers.get(name, '')}” and not “{value}”"
        for name, value in expected.items()
        if answer.headers.get(name) != value
    ]
    if wrong:
        raise CheckFailed(f"{'; '.join(wrong)}. The server or a proxy changes headers.")
    encryption = promised.get("ServerSideEncryption")
    if encryption and answer.headers.get("x-amz-server-side-encryption") != encryption:
        raise CheckFailed(
            f"AWS_S3_ENCRYPTION={encryption} is set, but the server has not encrypted the file. "
            "Unset it, or set encryption up there."
        )
    if answer.headers.get("x-amz-version-id", "null") != "null":
        return (
            "but the bucket has versions, which keep what people delete: switch them off, or let "
            "old ones expire (docs/storage.md)"
        )
    return ""


def check_unsigned_url(store: BucketStorage, key: str) -> str:
    if any(check.is_success(send_request(store, base + key)) for base in bucket_urls(store)):
        raise CheckFailed(
            "Anybody can read every picture. Take away what allows s3:GetObject to everybody (a "
            "bucket policy, an ACL); at AWS also switch Block Public Access on."
        )
    return ""


def check_listing(store: BucketStorage) -> str:
    if any(
        check.is_success(send_request(store, f"{base}?list-type=2")) for base in bucket_urls(store)
    ):
        raise CheckFailed(
            "Anybody can see which pictures there are. Take away what allows s3:ListBucket to "
            "everybody (a bucket policy, an ACL)."
        )
    return ""


def check_cors(store: BucketStorage, key: str) -> str:
    url = storage.presigned_url(key, 60)
    preflight = {"Origin": STRANGER, "Access-Control-Request-Method": "GET"}
    answers = (
        send_request(store, url, method="OPTIONS", headers=preflight),
        send_request(store, url, headers={"Origin": STRANGER}),
    )
    if any("Access-Control-Allow-Origin" in answer.headers for answer in answers):
        raise CheckFailed(
            "A CORS rule lets the scripts of other sites read pictures. The site needs none: "
            "delete the bucket's CORS configuration."
        )
    return ""


def report_lifetime(store: BucketStorage) -> str:
    """Return how long presigned URLs work; temporary keys may end them sooner."""
    text = f"{store.querystring_expire} s"
    found = store.session.get_credentials()
    if found and found.get_frozen_credentials().token:
        return (
            f"{text}, but no longer than the temporary keys that sign them; docs/storage.md says "
            "how long that is"
        )
    return text


def check_delete(store: BucketStorage, key: str) -> str:
    """Check that a deleted object is gone, and explain what S3 answers without permission."""
    try:
        return check.check_delete(key)
    except ClientError as error:
        is_read = (
            error.operation_name == "GetObject" and s3_errors.error_code(error) == "AccessDenied"
        )
        if is_read:  # for an object that does not exist
            raise CheckFailed(
                "It is gone, but the server does not say so. Allow s3:ListBucket on the bucket, "
                "or a missing picture looks like a forbidden one."
            ) from error
        raise CheckFailed(
            f"{s3_errors.explain_error(error, store)} The file {key} stays in the bucket."
        ) from error


# --- asking without credentials -------------------------------------------------------------------


def bucket_urls(store: BucketStorage) -> list[str]:
    """Return the base URLs of the bucket: as the site reaches it, and as others do."""
    prefix = store.prefix_of(store.client)
    return list(dict.fromkeys((prefix, store.public_prefix)))


def send_request(
    store: BucketStorage, url: str, *, method: str = "GET", headers: dict[str, str] | None = None
) -> StoreResponse:
    """Send a request without credentials; raises ``CheckFailed`` when no response comes."""
    with requests.Session() as session:
        session.trust_env = False  # no .netrc, no proxy
        try:
            answer = session.request(
                method,
                url,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
                verify=store.verify,
            )
        # The library's messages hold the URL, which is a secret.
        except requests.exceptions.SSLError:
            raise CheckFailed(s3_errors.tls_failure(url)) from None
        except requests.exceptions.RequestException:
            raise CheckFailed(s3_errors.unreachable(url)) from None
    return StoreResponse(status=answer.status_code, body=answer.content, headers=answer.headers)


def seconds_behind(answer: StoreResponse) -> float:
    """Return how many seconds the server's clock is behind ours; 0 when it sends no Date."""
    try:
        there = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return 0
    if there.tzinfo is None:
        there = there.replace(tzinfo=datetime.UTC)
    return (timezone.now() - there).total_seconds()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
