"""The playground's form: reads it from the query, and builds the API request it describes."""

import json
import math
import uuid
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.http import QueryDict

from swaps import errors, links
from swaps.api.schemas import DETECT_CALL, SWAP_CALL, parse
from swaps.net.addresses import MAX_CHARACTERS

Name = Literal["source", "target"]

SAMPLES: dict[Name, dict[str, str]] = {
    "source": {
        "1-face.jpg": "A blonde woman",
        "2-face.jpg": "A laughing man with a beard",
        "3-face.jpg": "A young man in a denim jacket",
    },
    "target": {
        "1-photo.jpg": "A woman in a woolly hat",
        "2-photo.jpg": "A man in a white shirt",
        "3-photo.jpg": "A young man with a backpack in the woods",
    },
}
CALLS = {
    "swap": "Swap faces",
    "detect": "Find faces",
}
WAYS = {
    "wait": "Wait for it",
    "callback": "Call me back",
    "async": "Ask for it",
}
LANGUAGES = ("curl", "python", "javascript", "java", "go", "php")
MAX_KEY_CHARACTERS = 255
# What a visitor is shown in the place of an inspector of their own.
EXAMPLE_CALLBACK = "https://example.com/callbacks"


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One of the two pictures of the form: a sample, an uploaded picture or any URL."""

    name: Name
    sample: str = ""
    url: str = ""
    upload_id: uuid.UUID | None = None
    lifetime: str = ""
    refusal: str = ""

    @property
    def samples(self) -> dict[str, str]:
        return SAMPLES[self.name]

    @property
    def image_url(self) -> str:
        return self.url or links.sample_url(self.sample)


@dataclass(frozen=True, kw_only=True)
class FormValues:
    """The contents of the playground's form; faces are points as texts, like "0.5, 0.4"."""

    call: str
    source: Picture
    target: Picture
    source_face: str
    target_face: str
    has_all_faces: bool
    way: str
    timeout: str
    callback_url: str
    idempotency_key: str
    language: str

    @property
    def pictures(self) -> tuple[Picture, Picture]:
        return self.source, self.target

    @property
    def chooses_faces(self) -> bool:
        return bool(self.source_face or self.target_face or self.has_all_faces)


@dataclass(frozen=True, kw_only=True)
class RequestPreview:
    """The request as the page shows it, and the problem that the server would find with it."""

    path: str
    body: dict[str, Any]
    idempotency_key: str
    problem: str = ""
    is_inspected: bool = False


def read_form(query: QueryDict) -> FormValues:
    """Parse the form from a query string; what is invalid there becomes the default."""
    way, language = query.get("way", ""), query.get("language", "")
    call = query.get("call", "")
    return FormValues(
        call=call if call in CALLS else "swap",
        source=_picture("source", query),
        target=_picture("target", query),
        source_face=_text(query, "source_face"),
        target_face=_text(query, "target_face"),
        has_all_faces=query.get("target_faces") == "all",
        way=way if way in WAYS else "wait",
        timeout=_text(query, "timeout"),
        callback_url=_text(query, "callback_url"),
        idempotency_key=_text(query, "idempotency_key")[:MAX_KEY_CHARACTERS],
        language=language if language in LANGUAGES else LANGUAGES[0],
    )


def preview(form: FormValues, inspector_url: str) -> RequestPreview:
    """Build the request that the form describes, checked as the API checks it."""
    body = _asked(form)
    match form.way:
        case "callback":
            body["callback_url"] = form.callback_url or inspector_url or EXAMPLE_CALLBACK
        case "async":
            body["async"] = True
        case _ if (timeout := _number(form.timeout)) is not None:
            body["timeout"] = timeout
    is_sendable = form.idempotency_key.isascii() and form.idempotency_key.isprintable()
    call = RequestPreview(
        path=f"/face/{form.call}",
        body=body,
        idempotency_key=form.idempotency_key if is_sendable else "",
        is_inspected=bool(inspector_url) and body.get("callback_url") == inspector_url,
    )
    if not is_sendable:
        return replace(call, problem="Idempotency-Key: printable ASCII characters only.")
    try:
        if form.call == "detect":
            parse(DETECT_CALL, json.dumps(body).encode())
        else:
            parse(SWAP_CALL, json.dumps(body).encode())
    except errors.BadRequest as error:
        return replace(call, problem=error.message)
    return call


def _asked(form: FormValues) -> dict[str, Any]:
    """Return what is asked for: the pictures, and the faces that are meant in them."""
    if form.call == "detect":
        return {"image_url": form.target.image_url}
    body: dict[str, Any] = {f"{each.name}_image_url": each.image_url for each in form.pictures}
    for name, text in (("source_face", form.source_face), ("target_face", form.target_face)):
        if text:
            body[name] = _point(text)
    if form.has_all_faces:
        body["target_faces"] = "all"
    return body


def _point(text: str) -> dict[str, float] | str:
    """Return the point that a text like "0.5, 0.4" says; another text as it is, to be refused."""
    numbers = [_number(part) for part in text.split(",")]
    match numbers:
        case [int() | float() as x, int() | float() as y]:
            return {"x": x, "y": y}
    return text


def _picture(name: Name, query: QueryDict) -> Picture:
    url, sample = _text(query, name), query.get(f"{name}_sample", "")
    if url:
        return Picture(name=name, url=url)
    samples = SAMPLES[name]
    return Picture(name=name, sample=sample if sample in samples else next(iter(samples)))


def _text(query: QueryDict, name: str) -> str:
    return query.get(name, "").strip()[:MAX_CHARACTERS]


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number
