"""Where the faces are, and which are meant: contract, section 6."""

from standardwebhooks import Webhook

from tests.conformance.bare_client import BareClient
from tests.conformance.conftest import Cast
from tests.receiver import Receiver

Samples = tuple[str, str]
FACE = {"x", "y", "width", "height", "yaw", "pitch", "roll", "sharpness", "advice"}


def test_faces_are_found_free_of_charge(alice: BareClient, samples: Samples) -> None:
    before = alice.quota()

    answer = alice.post("/face/detect", {"image_url": samples[1]})

    body = answer.json()
    assert answer.status_code == 200, body
    assert set(body) == {
        *("success", "task_id", "trace_id", "image_width", "image_height", "faces"),
    }
    [face] = body["faces"]
    assert face.keys() == FACE
    assert body["trace_id"] == answer.headers["x-trace-id"]
    assert int(answer.headers["x-quota-remaining"]) == before
    assert alice.task(body["task_id"])["response"]["faces"] == body["faces"]


def test_no_face_is_an_empty_list(alice: BareClient, faceless: str) -> None:
    assert alice.post("/face/detect", {"image_url": faceless}).json()["faces"] == []


def test_a_picture_elsewhere_is_looked_at_and_called_back(
    alice: BareClient, cast: Cast, receiver: Receiver
) -> None:
    inbox = receiver.inbox()
    body = {"image_url": receiver.photo("face-woman-frontal.jpg"), "callback_url": inbox.url}
    accepted = alice.post("/face/detect", body).json()

    [callback] = inbox.wait_for(1)

    payload = Webhook(cast.secret).verify(callback.body, callback.headers)
    assert payload["task_id"] == accepted["task_id"]
    assert len(payload["faces"]) == 1


def test_a_face_that_was_found_can_be_chosen(alice: BareClient, samples: Samples) -> None:
    [face] = alice.post("/face/detect", {"image_url": samples[1]}).json()["faces"]
    middle = {"x": face["x"] + face["width"] / 2, "y": face["y"] + face["height"] / 2}

    chosen = alice.swap(*samples, target_face=middle)
    missed = alice.swap(*samples, target_face={"x": 0, "y": 1})

    assert chosen.json()["success"] is True
    assert (missed.status_code, missed.json()["error"]["code"]) == (400, "no_face")
    assert "Faces in that photo: 1" in missed.json()["error"]["message"]
