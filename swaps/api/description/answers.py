"""The answers of the API as pydantic models, published as OpenAPI. The docstrings are published."""

import uuid
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema


class Accepted(BaseModel):
    """The task is in the queue."""

    success: Literal[True] = Field(description="Always there, on every answer.")
    task_id: uuid.UUID = Field(description="Names the task. Ask `/face/tasks` by it.")
    trace_id: str = Field(description="Names this call in our log; also the header `x-trace-id`.")


class Quality(BaseModel):
    score: float = Field(
        ge=0, le=1, description="How likely people find it clean and the right person, from 0 to 1."
    )
    warnings: list[str] = Field(
        description="What may look wrong: `yaw` (the faces look in very different directions), "
        "`small_face` (the source’s was enlarged), `blurred_source`, `dark_source`, `tone` (skin "
        "tone or light differ much), `source_covered`, `source_eyes_hidden` (by dark glasses: the "
        "eyes are the target’s), `target_covered` (its glasses, hair, hand or beard stay in "
        "front), `several_faces` (a picture shows more than one, and the "
        "largest was taken). There may be more; none changes its meaning."
    )


class Swapped(Accepted):
    """The finished picture."""

    image_url: str = Field(
        json_schema_extra={"format": "uri"},
        description="Where the result is, for a limited time. `/face/tasks` gives a new URL.",
    )
    image_width: int = Field(description="In pixels, as that of the target.")
    image_height: int = Field(description="In pixels, as that of the target.")
    image_size: int = Field(description="In bytes.")
    quality: Quality | SkipJsonSchema[None] = Field(
        None,
        description="What this server thinks of its own result; not there where a hosted provider "
        "made the picture.",
    )


class ErrorDetail(BaseModel):
    code: str = Field(description="One word, for programs.")
    message: str = Field(description="What is wrong and what to do, for people.")


class FoundFace(BaseModel):
    """A face: its box as fractions of the picture's width and height, and how good it is."""

    x: float = Field(ge=0, le=1, description="The left edge of its box.")
    y: float = Field(ge=0, le=1, description="The upper edge.")
    width: float = Field(ge=0, le=1, description="Of the box, as a fraction of the picture’s.")
    height: float = Field(ge=0, le=1, description="Of the box, as a fraction of the picture’s.")
    yaw: float = Field(description="Degrees to the side; 0 looks into the camera.")
    pitch: float = Field(description="Degrees up or down.")
    roll: float = Field(description="Degrees that the head is tilted.")
    sharpness: float = Field(ge=0, description="0 is a blur; the higher, the sharper.")
    advice: list[str] = Field(
        description="What may spoil a swap with it: `cut` (off by the edge of the picture), "
        "`small`, `blurred`, `dark`, `turned` (away by more than 35 degrees), `sunglasses`, "
        "`covered` (by hair, a hand or something else), `several` (the picture shows more than one "
        "face: say which one is meant). There may be more; none changes its meaning."
    )


class Detected(Accepted):
    """The faces of the picture."""

    image_width: int = Field(description="In pixels, as the picture is looked at upright.")
    image_height: int = Field(description="In pixels, as the picture is looked at upright.")
    faces: list[FoundFace] = Field(description="Largest first; empty when there is none.")


class Error(BaseModel):
    """Every error has this shape."""

    success: Literal[False] = Field(description="Always there, on every answer.")
    error: ErrorDetail = Field(description="What went wrong.")
    trace_id: str = Field(description="Quote it when you ask for help.")
    task_id: uuid.UUID | SkipJsonSchema[None] = Field(
        None, description="The task, where there is one."
    )


class Task(BaseModel):
    """A swap or a detection, as it stands."""

    id: uuid.UUID = Field(description="The `task_id` that you asked by.")
    type: Literal["face_swap", "face_detect"] = Field(description="Which call asked for it.")
    status: Literal["queued", "processing", "succeeded", "failed"] = Field(
        description="Until it is `succeeded` or `failed` there is no `response`: ask again."
    )
    created_at: float = Field(description="Unix time, in seconds.")
    started_at: float | SkipJsonSchema[None] = Field(None, description="There once it has ended.")
    finished_at: float | SkipJsonSchema[None] = Field(None, description="There once it has ended.")
    elapsed: float | SkipJsonSchema[None] = Field(
        None, description="Seconds of work; there once it has ended."
    )
    trace_id: str = Field(description="Names the call that asked for it.")
    request: dict[str, Any] = Field(
        description="The body as it was sent; a `data:` URL is cut short."
    )
    response: Swapped | Detected | Error | SkipJsonSchema[None] = Field(
        None, description="What a callback would carry, once it has ended."
    )


class Tasks(BaseModel):
    """The tasks that were found."""

    items: list[Task] = Field(description="Newest first.")
    count: int = Field(description="How many were found.")
