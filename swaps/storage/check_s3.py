"""What only a bucket can do wrong: who may read it, its headers, its clock, CORS, the way there."""

import datetime
from email.utils import parsedate_to_datetime

import requests
from botocore.exceptions import ClientError
from django.utils import timezone

from swaps import storage
from swaps.storage import check
from swaps.storage import s3_errors as words
from swaps.storage.check import Answer, Step, Wrong
from swaps.storage.s3 import BucketStorage

TIMEOUT = (5, 30)
MAX_SECONDS_APART = 60
STRANGER = "https://stranger.example"


def of_bucket(store: BucketStorage, key: str) -> list[Step]:

    def fetch(url: str) -> Answer:
        return ask(store, url)

    return [
        Step(promise="the server answers", keep=lambda: answer_at_all(store), is_vital=True),
        Step(promise="its clock and ours agree", keep=lambda: agree_on_time(store)),
        Step(promise="a file can be stored", keep=lambda: check.put(key), is_vital=True),
        Step(promise="it is read back as it was stored", keep=lambda: check.read(key)),
        Step(
            promise="its presigned URL shows it, with the right headers",
            keep=lambda: show(store, key),
        ),
        Step(
            promise="a URL that was changed is refused",
            keep=lambda: check.refuse_changed(fetch, key),
        ),
        Step(promise="without a signature it is refused", keep=lambda: refuse_unsigned(store, key)),
        Step(promise="strangers cannot list the bucket", keep=lambda: refuse_listing(store)),
        Step(
            promise="scripts of other sites cannot read it", keep=lambda: have_no_cors(store, key)
        ),
        Step(
            promise="a URL stops working in time",
            keep=lambda: check.expire(fetch, key, seconds_behind),
        ),
        Step(promise="URLs live as long as they should", keep=lambda: lifetime(store)),
        Step(promise="a deleted file is gone", keep=lambda: delete(store, key)),
    ]


# --- steps ----------------------------------------------------------------------------------------


def answer_at_all(store: BucketStorage) -> str:
    for base in bases(store):
        ask(store, base)
    return ""


def agree_on_time(store: BucketStorage) -> str:
    apart = seconds_behind(ask(store, bases(store)[0]))
    if abs(apart) > MAX_SECONDS_APART:
        raise Wrong(
            f"The clock of this machine is {_time(abs(apart))} {'ahead' if apart > 0 else 'behind'}"
            ". URLs end too early or too late, and from 15 minutes on S3 refuses every request. "
            "Set it by NTP."
        )
    return ""


def show(store: BucketStorage, key: str) -> str:
    answer = ask(store, storage.presigned_url(key, 60))
    if answer.status != 200:
        raise Wrong(words.of_answer(answer.status, answer.body, store))
    if answer.body != check.DATA:
        raise Wrong("Something else came than was stored. Is a cache in between?")
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
        raise Wrong(f"{'; '.join(wrong)}. The server or a proxy changes headers.")
    encryption = promised.get("ServerSideEncryption")
    if encryption and answer.headers.get("x-amz-server-side-encryption") != encryption:
        raise Wrong(
            f"AWS_S3_ENCRYPTION={encryption} is set, but the server has not encrypted the file. "
            "Unset it, or set encryption up there."
        )
    if answer.headers.get("x-amz-version-id", "null") != "null":
        return (
            "but the bucket has versions, which keep what people delete: switch them off, or let "
            "old ones expire (docs/storage.md)"
        )
    return ""


def refuse_unsigned(store: BucketStorage, key: str) -> str:
    if any(check.is_shown(ask(store, base + key)) for base in bases(store)):
        raise Wrong(
            "Anybody can read every picture. Take away what allows s3:GetObject to everybody (a "
            "bucket policy, an ACL); at AWS also switch Block Public Access on."
        )
    return ""


def refuse_listing(store: BucketStorage) -> str:
    if any(check.is_shown(ask(store, f"{base}?list-type=2")) for base in bases(store)):
        raise Wrong(
            "Anybody can see which pictures there are. Take away what allows s3:ListBucket to "
            "everybody (a bucket policy, an ACL)."
        )
    return ""


def have_no_cors(store: BucketStorage, key: str) -> str:
    url = storage.presigned_url(key, 60)
    preflight = {"Origin": STRANGER, "Access-Control-Request-Method": "GET"}
    answers = (
        ask(store, url, method="OPTIONS", headers=preflight),
        ask(store, url, headers={"Origin": STRANGER}),
    )
    if any("Access-Control-Allow-Origin" in answer.headers for answer in answers):
        raise Wrong(
            "A CORS rule lets the scripts of other sites read pictures. The site needs none: "
            "delete the bucket's CORS configuration."
        )
    return ""


def lifetime(store: BucketStorage) -> str:
    """How long was checked at the start; that temporary keys end sooner, nobody else says."""
    said = f"{store.querystring_expire} s"
    found = store.session.get_credentials()
    if found and found.get_frozen_credentials().token:
        return (
            f"{said}, but no longer than the temporary keys that sign them; docs/storage.md says "
            "how long that is"
        )
    return said


def delete(store: BucketStorage, key: str) -> str:
    try:
        return check.delete(key)
    except ClientError as error:
        is_read = error.operation_name == "GetObject" and words.code_of(error) == "AccessDenied"
        if is_read:  # of a key that does not exist
            raise Wrong(
                "It is gone, but the server does not say so. Allow s3:ListBucket on the bucket, "
                "or a missing picture looks like a forbidden one."
            ) from error
        raise Wrong(
            f"{words.of_error(error, store)} The file {key} stays in the bucket."
        ) from error


# --- asking without credentials -------------------------------------------------------------------


def bases(store: BucketStorage) -> list[str]:
    """Where the bucket is, for the site and for others."""
    prefix = store.prefix_of(store.client)
    return list(dict.fromkeys((prefix, store.public_prefix)))


def ask(
    store: BucketStorage, url: str, *, method: str = "GET", headers: dict[str, str] | None = None
) -> Answer:
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
        # Their texts hold the URL.
        except requests.exceptions.SSLError:
            raise Wrong(words.tls(url)) from None
        except requests.exceptions.RequestException:
            raise Wrong(words.unreachable(url)) from None
    return Answer(status=answer.status_code, body=answer.content, headers=answer.headers)


def seconds_behind(answer: Answer) -> float:
    """How far the server's clock is behind ours; 0 when it does not tell."""
    try:
        there = parsedate_to_datetime(answer.headers["Date"])
    except (KeyError, ValueError):
        return 0
    if there.tzinfo is None:
        there = there.replace(tzinfo=datetime.UTC)
    return (timezone.now() - there).total_seconds()


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
