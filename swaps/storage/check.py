"""Does the store keep its promises? Tried with a small file, and said in words if it does not.

What any store must do; what only a bucket can do wrong is in ``storage_check_s3``.
"""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from swaps import storage
from swaps.storage import space

DATA = b"A file of manage.py storage_check. It may be deleted.\n"
SHORT_SECONDS = 2
MAX_PAUSE_SECONDS = 60  # for a clock that is behind


class Wrong(Exception):
    """What is wrong, in words that a person can act on."""


@dataclass(frozen=True, kw_only=True)
class Step:
    promise: str
    keep: Callable[[], str]  # a remark, or empty; raises Wrong
    is_vital: bool = False  # without it the steps that follow say nothing


@dataclass(frozen=True, kw_only=True)
class Outcome:
    promise: str
    is_kept: bool
    words: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What somebody without credentials gets for a URL."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Fetch = Callable[[str], Answer]
Explain = Callable[[Exception], str]


def run(steps: Iterable[Step], explain: Explain) -> Iterator[Outcome]:
    for step in steps:
        is_kept, words = True, ""
        try:
            words = step.keep()
        except Wrong as wrong:
            is_kept, words = False, str(wrong)
        except Exception as error:  # noqa: BLE001  each store has errors of its own
            is_kept, words = False, explain(error)
        yield Outcome(promise=step.promise, is_kept=is_kept, words=words)
        if step.is_vital and not is_kept:
            return


def of_disk(fetch: Fetch, key: str) -> list[Step]:
    return [
        Step(promise="a file can be stored", keep=lambda: put(key), is_vital=True),
        Step(promise="it is read back as it was stored", keep=lambda: read(key)),
        Step(promise="its signed URL shows it", keep=lambda: show(fetch, key)),
        Step(promise="a URL that was changed is refused", keep=lambda: refuse_changed(fetch, key)),
        Step(promise="a URL stops working in time", keep=lambda: expire(fetch, key)),
        Step(promise="a deleted file is gone", keep=lambda: delete(key)),
    ]


def disk_words(error: Exception) -> str:
    if space.is_full(error):
        return "The disk is full."
    if isinstance(error, OSError) and error.filename:
        return (
            f"{error.strerror}: {error.filename}. The folder media in FACESWAP_VAR must belong to "
            "the user that the site runs as, on a disk with room."
        )
    return f"{type(error).__name__}: {error}"


def new_key() -> str:
    return f"storage-check/{uuid.uuid4()}.png"


# --- steps ----------------------------------------------------------------------------------------


def put(key: str) -> str:
    storage.put(key, DATA)
    return ""


def read(key: str) -> str:
    if storage.read(key) != DATA:
        raise Wrong("Something else came back than was stored. Is a cache in between?")
    return ""


def show(fetch: Fetch, key: str) -> str:
    answer = fetch(storage.presigned_url(key, 60))
    if (answer.status, answer.body) != (200, DATA):
        raise Wrong(f"It was answered with {answer.status}, and not with the file.")
    return ""


def refuse_changed(fetch: Fetch, key: str) -> str:
    answer = fetch(changed(storage.presigned_url(key, 60)))
    if is_shown(answer):
        raise Wrong(
            "The file came although the signature was wrong: either anybody may read it, or a "
            "cache in between answers for the store."
        )
    return ""


def expire(fetch: Fetch, key: str, seconds_behind: Callable[[Answer], float] | None = None) -> str:
    """Whole seconds count; a store whose clock is behind is given that time too."""
    url = storage.presigned_url(key, SHORT_SECONDS)
    time.sleep(SHORT_SECONDS + 1.5)
    answer = fetch(url)
    if is_shown(answer) and seconds_behind:
        time.sleep(min(max(0, seconds_behind(answer)), MAX_PAUSE_SECONDS) + 1)
        answer = fetch(url)
    if is_shown(answer):
        raise Wrong(
            f"A URL that was signed for {SHORT_SECONDS} seconds still works after them. A cache in "
            "between must not keep what is marked as private."
        )
    return ""


def delete(key: str) -> str:
    storage.delete([key])
    try:
        storage.read(key)
    except FileNotFoundError:
        return ""
    raise Wrong(f"{key} was deleted and can still be read. Is a cache in between?")


def is_shown(answer: Answer) -> bool:
    return answer.status < 300


def changed(url: str) -> str:
    """The same URL with another last character in its signature."""
    text = url.rstrip("/")
    return text[:-1] + ("A" if text[-1] != "A" else "B") + url[len(text) :]
