"""Examples of the API's bodies, for the OpenAPI document and the documentation page."""

from typing import Any

from swaps import errors

ID = "4b13bdeb-1b19-4ea5-8f3a-0c9a2b7d1c55"
TRACE = "8f0c3e5d2a7b4c1e9d6f1a2b3c4d5e6f"


def request(site_url: str) -> dict[str, Any]:
    return {
        "source_image_url": f"{site_url}/samples/1-face.jpg",
        "target_image_url": f"{site_url}/samples/1-photo.jpg",
    }


def request_of_pairs(site_url: str) -> dict[str, Any]:
    return request(site_url) | {
        "pairs": [
            {"target_face": {"x": 0.3, "y": 0.42}},
            {
                "source_image_url": f"{site_url}/samples/2-face.jpg",
                "target_face": {"x": 0.71, "y": 0.4},
            },
        ]
    }


def accepted() -> dict[str, Any]:
    return {"success": True, "task_id": ID, "trace_id": TRACE}


def swapped(site_url: str) -> dict[str, Any]:
    return accepted() | {
        "image_url": f"{site_url}/samples/1-result.jpg",
        "image_width": 720,
        "image_height": 720,
        "image_size": 82_310,
        "quality": {"score": 0.82, "warnings": []},
    }


def detect_request(site_url: str) -> dict[str, Any]:
    return {"image_url": f"{site_url}/samples/1-photo.jpg"}


def detected() -> dict[str, Any]:
    face = {"x": 0.3482, "y": 0.1873, "width": 0.2761, "height": 0.3604}
    pose = {"yaw": -4.1, "pitch": 2.7, "roll": 1.3}
    return accepted() | {
        "image_width": 720,
        "image_height": 720,
        "faces": [{**face, **pose, "sharpness": 0.713, "advice": []}],
    }


def retrieve() -> dict[str, Any]:
    return {"id": ID, "action": "retrieve"}


def retrieve_batch() -> dict[str, Any]:
    return {"ids": [ID], "action": "retrieve_batch"}


def running_task(site_url: str) -> dict[str, Any]:
    return {
        "id": ID,
        "type": "face_swap",
        "status": "processing",
        "created_at": 1736304669.779,
        "trace_id": TRACE,
        "request": request(site_url),
    }


def task(site_url: str) -> dict[str, Any]:
    return running_task(site_url) | {
        "status": "succeeded",
        "started_at": 1736304669.839,
        "finished_at": 1736304670.25,
        "elapsed": 0.411,
        "response": swapped(site_url),
    }


def tasks(site_url: str) -> dict[str, Any]:
    return {"items": [task(site_url)], "count": 1}


def error(kind: type[errors.SwapError], meaning: str) -> dict[str, Any]:
    body = {
        "success": False,
        "error": {"code": kind.code, "message": meaning.replace("`", "")},
        "trace_id": TRACE,
    }
    return body | ({"task_id": ID} if kind is errors.Timeout else {})


def by_schema(site_url: str) -> dict[str, dict[str, Any]]:
    """Return an example of each body, by the name of its schema."""
    no_face = error(errors.NoFace, "No face was found in the face photo.")
    return {
        "SwapCall": request(site_url),
        "Pair": request_of_pairs(site_url)["pairs"][1],
        "Point": {"x": 0.3, "y": 0.42},
        "DetectCall": detect_request(site_url),
        "Retrieve": retrieve(),
        "RetrieveBatch": retrieve_batch(),
        "Accepted": accepted(),
        "Swapped": swapped(site_url),
        "Detected": detected(),
        "Task": task(site_url),
        "Tasks": tasks(site_url),
        "Error": no_face | {"task_id": ID},
    }
