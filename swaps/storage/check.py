"""The steps of ``manage.py storage_check``, which tries the store with a small file.

What only a bucket can get wrong is in ``check_s3``.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from swaps import storage
from swaps.storage import space

DATA = b"A file of manage.py storage_check. It may be deleted.\n"
SHORT_SECONDS = 2  # for which a URL is signed that is to expire
GRACE_SECONDS = 1.5  # after which it has: stores count whole seconds
MAX_PAUSE_SECONDS = 60  # of waiting for a clock that is behind


class CheckFailed(Exception):
    """A step of the check failed; ``str()`` tells a person what is wrong and what to do."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that a store must do, and the function that tries it."""

    promise: str
    run: Callable[[], str]  # returns a remark or ""; raises CheckFailed
    is_vital: bool = False  # if it fails, the steps after it are pointless


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """Whether a step succeeded, with a remark or the reason of the failure."""

    promise: str
    is_kept: bool
    message: str


@dataclass(frozen=True, kw_only=True)
class StoreResponse:
    """What somebody without credentials gets when requesting a URL."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Expiry:
    """How long the check waits for a signed URL to expire."""

    seconds: int = SHORT_SECONDS
    grace: float = GRACE_SECONDS


Fetch = Callable[[str], StoreResponse]
Explain = Callable[[Exception], str]


def run(steps: Iterable[Step], explain: Explain) -> Iterator[StepResult]:
    """Run the steps and yield their results; stop after a vital step that fails."""
    for step in steps:
        is_kept, message = True, ""
        try:
            message = step.run()
        except CheckFailed as failure:
            is_kept, message = False, str(failure)
        except Exception as error:  # noqa: BLE001  each store has errors of its own
            is_kept, message = False, explain(error)
        yield StepResult(promise=step.promise, is_kept=is_kept, message=message)
        if step.is_vital and not is_kept:
            return


def disk_steps(fetch: Fetch, key: str, expiry: Expiry) -> list[Step]:
    """Return the steps for the store on disk; ``fetch`` requests a signed URL of this site."""
    return [
        Step(promise="a file can be stored", run=lambda: check_put(key), is_vital=True),
        Step(promise="it is read back as it was stored", run=lambda: check_read(key)),
        Step(promise="its signed URL shows it", run=lambda: check_url(fetch, key)),
        Step(
            promise="a URL that was changed is refused", run=lambda: check_changed_url(fetch, key)
        ),
        Step(promise="a URL stops working in time", run=lambda: check_expiry(fetch, key, expiry)),
        Step(promise="a deleted file is gone", run=lambda: check_delete(key)),
    ]


def explain_disk_error(error: Exception) -> str:
    """Return a message about an error of the disk that tells a person what to do."""
    if space.is_disk_full_error(error):
        return "The disk is full."
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.strerror}: {error.filename}. The folder media in FACESWAP_VAR must belong to "
            "the user that the site runs as, on a disk with room."
        )
    return f"{type(error).__name__}: {error}"


def new_key() -> str:
    """Return an unused object key for the check."""
    return f"storage-check/{uuid.uuid4()}.png"


# --- steps ----------------------------------------------------------------------------------------


def check_put(key: str) -> str:
    storage.put(key, DATA)
    return ""


def check_read(key: str) -> str:
    if storage.read(key) != DATA:
        raise CheckFailed("Something else came back than was stored. Is a cache in between?")
    return ""


def check_url(fetch: Fetch, key: str) -> str:
    answer = fetch(storage.presigned_url(key, 60))
    if (answer.status, answer.body) != (200, DATA):
        raise CheckFailed(f"It was answered with {answer.status}, and not with the file.")
    return ""


def check_changed_url(fetch: Fetch, key: str) -> str:
    answer = fetch(with_changed_signature(storage.presigned_url(key, 60)))
    if is_success(answer):
        raise CheckFailed(
            "The file came although the signature was wrong: either anybody may read it, or a "
            "cache in between answers for the store."
        )
    return ""


def check_expiry(
    fetch: Fetch,
    key: str,
    expiry: Expiry,
    seconds_behind: Callable[[StoreResponse], float] | None = None,
) -> str:
    """Check that a URL stops working; a store whose clock is behind gets that much more time."""
    url = storage.presigned_url(key, expiry.seconds)
    time.sleep(expiry.seconds + expiry.grace)
    answer = fetch(url)
    if is_success(answer) and seconds_behind:
        time.sleep(min(max(0, seconds_behind(answer)), MAX_PAUSE_SECONDS) + expiry.grace)
        answer = fetch(url)
    if is_success(answer):
        raise CheckFailed(
            f"A URL that was signed for {expiry.seconds} seconds still works after them. A cache "
            "in between must not keep what is marked as private."
        )
    return ""


def check_delete(key: str) -> str:
    storage.delete([key])
    try:
        storage.read(key)
    except FileNotFoundError:
        return ""
    raise CheckFailed(f"{key} was deleted and can still be read. Is a cache in between?")


def is_success(answer: StoreResponse) -> bool:
    return answer.status < 300


def with_changed_signature(url: str) -> str:
    """Return the same URL with another last character in its signature."""
    text = url.rstrip("/")
    return text[:-1] + ("A" if text[-1] != "A" else "B") + url[len(text) :]
