"""The bodies of calls as pydantic models: parsed on the way in, published as OpenAPI.

Bodies are parsed in strict mode: a number is not a string, and ``true`` is not 1. Unknown fields
are ignored, as the reference provider does. The docstrings of the models are published.
"""

import contextlib
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from swaps import errors, links, net
from swaps.deliveries import inspector
from swaps.models.swap_pairs import MAX_PAIRS
from swaps.net import data_urls
from swaps.net.addresses import MAX_CHARACTERS

DEFAULT_TIMEOUT = 120
ACTIONS = ("retrieve", "retrieve_batch")
MAX_IDS = 100
NOT_NULL = {"not": {"type": "null"}}
# Each field says the same as others in another way: one of them is sent.
CONTRADICTIONS = {
    "target_faces": ("target_face",),
    "pairs": ("source_face", "target_face", "target_faces"),
}
URL_TEXT = (
    f"an http(s) URL that anybody can fetch, of at most {MAX_CHARACTERS:,} characters, or a "
    "`data:` URL in base64."
)


def _picture_url(url: str) -> str:
    if "\0" in url:  # no text field of a database can hold it
        raise ValueError("A URL has no NUL characters.")
    if len(url) > MAX_CHARACTERS and not data_urls.is_data_url(url):
        raise ValueError(f"A URL has at most {MAX_CHARACTERS:,} characters.")
    return url


def _callback_url(url: str) -> str:
    if inspector.is_inspector_url(url):
        return url
    if links.is_own_callback(url):
        raise ValueError(
            "This is where this site itself is called back: its FACESWAP_HOSTED_URL leads to "
            "itself."
        )
    try:
        net.check_url(url)
    except net.NetError as error:
        raise ValueError(error.message) from error
    return url


PictureUrl = Annotated[
    str,
    AfterValidator(_picture_url),
    Field(min_length=1, json_schema_extra={"format": "uri"}),
]
Timeout = Annotated[
    float | None,
    Field(
        gt=0,
        allow_inf_nan=False,
        description=f"How many seconds to wait for the result; {DEFAULT_TIMEOUT} unless told. "
        "More than the server allows counts as what it allows.",
    ),
]
CallbackUrl = Annotated[
    Annotated[
        str,
        AfterValidator(_callback_url),
        WithJsonSchema({"type": "string", "format": "uri", "maxLength": MAX_CHARACTERS}),
    ]
    | None,
    Field(
        description="Answer at once, and POST the result here when it is done. Signed, and "
        "repeated until it is taken."
    ),
]
IsAsync = Annotated[
    bool | None,
    Field(
        alias="async",
        description="Answer at once, without a callback: ask `/face/tasks` for the result.",
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)

    def as_sent(self) -> dict[str, Any]:
        """Return the fields that were sent, under their names on the wire."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Point(_Body):
    """A place in a picture as it is seen upright, in fractions of its width and height."""

    x: float = Field(ge=0, le=1, description="0 is the left edge, 1 the right one.")
    y: float = Field(ge=0, le=1, description="0 is the upper edge, 1 the lower one.")


class Pair(_Body):
    """A face, and the face of the target that it replaces."""

    source_image_url: PictureUrl | None = Field(
        None, description="The picture that gives this face; that of the call unless told."
    )
    source_face: Point | None = Field(
        None, description="A point on the face that is meant in it; the largest unless told."
    )
    target_face: Point = Field(description="A point on the face of the target that it replaces.")


def _contradictions() -> dict[str, Any]:
    """Return in JSON Schema that no two fields contradict each other; null is as good as absent."""
    both = [
        {"required": [one, other], "properties": {one: NOT_NULL, other: NOT_NULL}}
        for one, others in CONTRADICTIONS.items()
        for other in others
    ]
    return {"not": {"anyOf": both}}


class SwapCall(_Body):
    """Two pictures, and how the result is handed over."""

    model_config = ConfigDict(json_schema_extra=_contradictions())
    source_image_url: PictureUrl = Field(
        description=f"The picture that **gives the face**: {URL_TEXT}"
    )
    target_image_url: PictureUrl = Field(
        description="The picture that **receives the face** and keeps everything else: size, "
        "pose, expression, light, background."
    )
    source_face: Point | None = Field(
        None,
        description="A point on the face of the source that is meant; the largest unless told.",
    )
    target_face: Point | None = Field(
        None, description="A point on the face to replace in the target; the largest unless told."
    )
    target_faces: Literal["all"] | None = Field(
        None, description="Puts the face onto every face of the target; without `target_face`."
    )
    pairs: Annotated[list[Pair], Field(min_length=1, max_length=MAX_PAIRS)] | None = Field(
        None,
        description="Which face goes onto which, where several are replaced in one task, charged "
        "once; without the three fields above. Each face of the target once.",
    )
    timeout: Timeout = None
    callback_url: CallbackUrl = None
    is_async: IsAsync = None

    @field_validator(*CONTRADICTIONS)
    @classmethod
    def _contradicts_no_other(cls, value: Any, info: ValidationInfo) -> Any:
        for other in CONTRADICTIONS[str(info.field_name)]:
            if value is not None and info.data.get(other) is not None:
                raise ValueError(f"It contradicts {other}. Send one of the two.")
        return value

    @field_validator("pairs")
    @classmethod
    def _names_each_target_once(cls, pairs: list[Pair] | None) -> list[Pair] | None:
        targets = [pair.target_face for pair in pairs or ()]
        if len(set(targets)) < len(targets):
            raise ValueError("Two of them name the same face of the target. Each is replaced once.")
        return pairs


class DetectCall(_Body):
    """One picture, and how its faces are handed over."""

    image_url: PictureUrl = Field(description=f"The picture to be looked at: {URL_TEXT}")
    timeout: Timeout = None
    callback_url: CallbackUrl = None
    is_async: IsAsync = None


ImageCall = SwapCall | DetectCall


class Retrieve(_Body):
    """Ask for one task."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["id"]}, {"required": ["task_id"]}]}
    )
    action: Literal["retrieve"]
    id: str = Field("", min_length=1, description="The `task_id` that a call answered with.")
    task_id: str = Field("", min_length=1, description="Another name for `id`.")


class RetrieveBatch(_Body):
    """Ask for several tasks. Those that are not found are left out of the answer."""

    action: Literal["retrieve_batch"]
    ids: list[str] = Field(
        max_length=MAX_IDS, description="The `task_id` of each that you ask for."
    )


TaskCall = Annotated[Retrieve | RetrieveBatch, Field(discriminator="action")]
DETECT_CALL: TypeAdapter[DetectCall] = TypeAdapter(DetectCall)
SWAP_CALL: TypeAdapter[SwapCall] = TypeAdapter(SwapCall)
TASK_CALL: TypeAdapter[Retrieve | RetrieveBatch] = TypeAdapter(TaskCall)


T = TypeVar("T")


def parse(adapter: TypeAdapter[T], body: bytes) -> T:
    """Parse a JSON body. Raises ``errors.BadRequest``, which names the field."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise _first_problem(error) from error


def _first_problem(error: ValidationError) -> errors.BadRequest:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if problem["type"] == "json_invalid":
        text = problem["msg"].removeprefix("Invalid JSON: ")
        return errors.BadRequest("not_json", problem=text)
    if problem["type"].startswith("union_tag"):
        return errors.BadRequest("action", actions=", ".join(ACTIONS))
    field = ".".join(str(part) for part in problem["loc"] if part not in ACTIONS)
    text = problem["msg"].removeprefix("Value error, ")
    if field:
        return errors.BadRequest("field", field=field, problem=text)
    return errors.BadRequest("body", problem=text)


def parse_ids(texts: Iterable[str]) -> list[uuid.UUID]:
    """Return the valid UUIDs among these texts."""
    found = []
    for text in texts:
        with contextlib.suppress(ValueError):
            found.append(uuid.UUID(text))
    return found
