"""Calls that choose faces: by a point, all of them, or several pairs in one task."""

import io
import itertools
from typing import Any

import pytest
from django.conf import settings as site
from PIL import Image, ImageChops
from pytest_django import Settings

from swaps import links, storage, tasks
from swaps.models import ApiAccess, Status, Swap
from tests.api_caller import ASYNC, SAMPLES, Caller, error_code
from tests.net_servers import answer as http_answer
from tests.net_servers import says, serving
from tests.pictures import data_url, picture

LEFT, RIGHT = {"x": 0.25, "y": 0.4}, {"x": 0.75, "y": 0.4}
CORNER = {"x": 0.01, "y": 0.99}


@pytest.fixture(autouse=True)
def _database(db: None) -> None:
    """All of these look at rows."""


@pytest.fixture(scope="module")
def two_faces() -> str:
    """A picture with a face in the middle of each half."""
    both = Image.new("RGB", (1440, 720))
    for number, name in enumerate(("1-photo.jpg", "2-photo.jpg")):
        path = links.sample(name)
        assert path
        with Image.open(path) as half:
            both.paste(half, (720 * number, 0))
    out = io.BytesIO()
    both.save(out, "JPEG", quality=90)
    return data_url(out.getvalue())


def requested(caller: Caller, **body: Any) -> Swap:
    answer = caller.swap({**ASYNC, **body})
    assert answer.status_code == 200, answer.json()
    return Swap.objects.get(pk=answer.json()["task_id"])


def performed(swap: Swap) -> Swap:
    tasks.run_swap.call(str(swap.pk))
    swap.refresh_from_db()
    return swap


def halves_changed(swap: Swap) -> tuple[bool, bool]:
    """Whether the face in the left half was changed, and that in the right one."""
    assert swap.status == Status.SUCCEEDED, swap.error_text
    before, after = (
        Image.open(io.BytesIO(storage.read(key))).convert("RGB")
        for key in (swap.target_key, swap.result_key)
    )
    changed = ImageChops.difference(before, after).convert("L").point(lambda value: value > 40)
    left, right = changed.crop((0, 0, 720, 720)), changed.crop((720, 0, 1440, 720))
    return left.histogram()[1] > 500, right.histogram()[1] > 500


# --- what is done ---------------------------------------------------------------------------


@pytest.mark.parametrize(("point", "changed"), [(LEFT, (True, False)), (RIGHT, (False, True))])
def test_the_face_at_the_point_is_replaced(
    caller: Caller, two_faces: str, point: dict[str, float], changed: tuple[bool, bool]
) -> None:
    swap = requested(caller, target_image_url=two_faces, target_face=point)
    assert halves_changed(performed(swap)) == changed


def test_all_faces_are_replaced(caller: Caller, two_faces: str) -> None:
    swap = requested(caller, target_image_url=two_faces, target_faces="all")
    assert halves_changed(performed(swap)) == (True, True)


def test_the_face_at_the_point_is_taken(caller: Caller, two_faces: str) -> None:
    bodies = [
        {"source_image_url": two_faces, "source_face": point, "async": True}
        for point in (LEFT, RIGHT)
    ]
    made = [performed(requested(caller, **body)) for body in bodies]
    one, other = (storage.read(swap.result_key) for swap in made)
    assert one != other


def test_several_sources_go_into_one_target_in_one_task_charged_once(
    caller: Caller, two_faces: str
) -> None:
    before = ApiAccess.objects.get(user=caller.user).remaining
    swap = requested(
        caller,
        target_image_url=two_faces,
        pairs=[
            {"target_face": LEFT},
            {"target_face": RIGHT, "source_image_url": f"{site.SITE_URL}/samples/2-face.jpg"},
        ],
    )
    assert [pair["source"] for pair in swap.pairs] == [0, 1]
    assert len(swap.more_source_keys) == 1
    assert halves_changed(performed(swap)) == (True, True)
    assert ApiAccess.objects.get(user=caller.user).remaining == before - 1


def test_a_source_that_is_named_twice_is_stored_once(caller: Caller, two_faces: str) -> None:
    other = f"{site.SITE_URL}/samples/2-face.jpg"
    swap = requested(
        caller,
        pairs=[
            {"target_face": LEFT, "source_image_url": other},
            {"target_face": RIGHT, "source_image_url": SAMPLES["source_image_url"]},
            {"target_face": CORNER},
            {"target_face": {"x": 0.5, "y": 0.5}, "source_image_url": other, "source_face": LEFT},
        ],
    )
    assert [pair["source"] for pair in swap.pairs] == [0, 1, 1, 0]
    assert len(swap.more_source_keys) == 1
    assert swap.pairs[3]["source_face"] == [0.25, 0.4]


def test_two_pictures_of_the_body_that_begin_alike_are_two(caller: Caller) -> None:
    one, other = (data_url(picture(size=(64, side)), "image/jpeg") for side in (48, 50))
    assert one[:40] == other[:40]
    swap = requested(
        caller,
        source_image_url=one,
        pairs=[
            {"target_face": LEFT},
            {"target_face": RIGHT, "source_image_url": other},
            {"target_face": CORNER},
        ],
    )
    sizes = [Image.open(io.BytesIO(storage.read(key))).size for key in swap.source_keys]
    assert sizes == [(64, 48), (64, 50)]
    assert [pair["source"] for pair in swap.pairs] == [0, 1, 0]
    assert len(str(swap.request)) < 1000


def test_a_call_that_chooses_nothing_is_stored_as_before(caller: Caller) -> None:
    swap = requested(caller, source_face=None, target_face=None, target_faces=None, pairs=None)
    assert (swap.pairs, swap.more_source_keys) == ([], [])


def test_sources_elsewhere_are_fetched_into_their_places(
    caller: Caller, settings: Settings
) -> None:
    sizes = [(50, 40), (60, 40), (70, 40)]
    with (
        serving(says(http_answer(picture(size=sizes[0])))) as first,
        serving(says(http_answer(picture(size=sizes[1])))) as second,
        serving(says(http_answer(picture(size=sizes[2])))) as third,
    ):
        servers = (first, second, third)
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}" for server in servers]
        urls = [f"http://127.0.0.1:{server.port}/face.jpg" for server in servers]
        points = [{"x": x / 10, "y": 0.5} for x in range(4)]
        named = [None, urls[1], SAMPLES["source_image_url"], urls[2]]
        swap = requested(
            caller,
            source_image_url=urls[0],
            pairs=[
                {"target_face": point} | ({"source_image_url": url} if url else {})
                for point, url in zip(points, named, strict=True)
            ],
        )
        assert [bool(key) for key in swap.source_keys] == [False, False, True, False]
        assert not swap.has_pictures
        tasks.fetch_pictures.call(str(swap.pk))
    swap = Swap.objects.get(pk=swap.pk)
    assert swap.has_pictures
    stored = [Image.open(io.BytesIO(storage.read(key))).size for key in swap.source_keys]
    assert stored == [sizes[0], sizes[1], (720, 720), sizes[2]]


def test_a_source_of_a_pair_that_cannot_be_had_is_named(caller: Caller, settings: Settings) -> None:
    with serving(says(http_answer(b"", status=404))) as server:
        settings.FACESWAP_FETCH_ALLOW = [f"127.0.0.1:{server.port}"]
        url = f"http://127.0.0.1:{server.port}/face.jpg"
        pairs = [{"target_face": LEFT}, {"target_face": RIGHT, "source_image_url": url}]
        swap = requested(caller, pairs=pairs)
        tasks.fetch_pictures.call(str(swap.pk))
    swap.refresh_from_db()
    answer = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()["response"]
    assert answer["error"]["code"] == "bad_request"
    assert "pairs.1.source_image_url cannot be fetched" in answer["error"]["message"]
    assert ApiAccess.objects.get(user=caller.user).remaining == ApiAccess.free_swaps()


# --- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize("image", ["source", "target"])
def test_a_point_on_no_face_says_so_and_how_many_there_are(
    caller: Caller, two_faces: str, image: str
) -> None:
    swap = performed(
        requested(caller, **{f"{image}_image_url": two_faces, f"{image}_face": CORNER})
    )
    answer = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()["response"]
    assert answer["error"]["code"] == "no_face"
    assert answer["error"]["message"].startswith(f"{image}_image_url: ")
    assert "Faces in that photo: 2" in answer["error"]["message"]


def test_a_source_of_a_pair_without_a_face_is_named(caller: Caller, two_faces: str) -> None:
    empty = data_url(picture(size=(64, 48)))
    pairs = [{"target_face": LEFT}, {"target_face": RIGHT, "source_image_url": empty}]
    swap = performed(requested(caller, target_image_url=two_faces, pairs=pairs))
    answer = caller.tasks({"id": str(swap.pk), "action": "retrieve"}).json()["response"]
    assert answer["error"]["code"] == "no_face"
    assert answer["error"]["message"].startswith("pairs.1.source_image_url: No face was found")


def test_two_points_on_one_face_are_refused(caller: Caller, two_faces: str) -> None:
    near = {"x": 0.26, "y": 0.41}
    swap = performed(
        requested(
            caller,
            target_image_url=two_faces,
            pairs=[{"target_face": LEFT}, {"target_face": near}],
        )
    )
    assert (swap.status, swap.error_code) == (Status.FAILED, "bad_request")


CHOICES: dict[str, Any] = {
    "source_face": LEFT,
    "target_face": LEFT,
    "target_faces": "all",
    "pairs": [{"target_face": LEFT}],
}
TOGETHER = {("source_face", "target_face"), ("source_face", "target_faces")}


@pytest.mark.parametrize(
    ("one", "other"),
    [pair for pair in itertools.combinations(CHOICES, 2) if pair not in TOGETHER],
)
def test_fields_that_contradict_each_other_are_named(caller: Caller, one: str, other: str) -> None:
    answer = caller.swap({**ASYNC, one: CHOICES[one], other: CHOICES[other]})
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")
    message = answer.json()["error"]["message"]
    assert message == f"{other}: It contradicts {one}. Send one of the two."
    assert requested(caller, **{one: None, other: CHOICES[other]}).pairs


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source_face": {"x": 0.5}}, "source_face.y"),
        ({"source_face": {"x": 1.01, "y": 0.5}}, "source_face.x"),
        ({"target_face": {"x": 0.5, "y": -0.01}}, "target_face.y"),
        ({"target_face": {"x": "0.5", "y": 0.5}}, "target_face.x"),
        ({"target_face": [0.5, 0.5]}, "target_face"),
        ({"target_face": "all"}, "target_face"),
        ({"target_faces": "some"}, "target_faces"),
        ({"pairs": []}, "pairs"),
        ({"pairs": [{"target_face": {"x": n / 9, "y": 0}} for n in range(7)]}, "pairs"),
        ({"pairs": [{"source_face": LEFT}]}, "pairs.0.target_face"),
        ({"pairs": [{"target_face": LEFT}, {"target_face": LEFT}]}, "pairs"),
        ({"pairs": [{"target_face": LEFT, "source_image_url": ""}]}, "pairs.0.source_image_url"),
        (
            {"pairs": [{"target_face": LEFT, "source_image_url": "http://127.0.0.1/"}]},
            "pairs.0.source_image_url",
        ),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused_by_its_field(
    caller: Caller, body: dict[str, Any], field: str
) -> None:
    answer = caller.swap({**ASYNC, **body})
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")
    assert answer.json()["error"]["message"].startswith(field)
    assert not Swap.objects.exists()


@pytest.mark.parametrize(("field", "value"), list(CHOICES.items()))
def test_a_hosted_provider_cannot_choose(
    caller: Caller, settings: Settings, field: str, value: Any
) -> None:
    settings.FACESWAP_API_PROVIDER = "hosted"
    answer = caller.swap({**ASYNC, field: value})
    assert (answer.status_code, error_code(answer)) == (400, "bad_request")
    assert answer.json()["error"]["message"].startswith(f"{field}: ")
    assert caller.swap({**ASYNC, field: None}).status_code == 200
