"""Photos that are sent ahead of their swap: stored, looked at, chosen from, kept, deleted."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from swaps import storage
from swaps.accounts import possession
from swaps.lifecycle.uploads import MAX_MY_FACES, keep_upload
from swaps.models import AccountStorage, Swap, Upload, User
from swaps.tasks import look_at_photo, run_swap
from swaps.views import consent
from tests.pictures import file, photo, picture, real
from tests.swap_rows import finished_swap

pytestmark = pytest.mark.django_db
PHOTOS, NEW = "/swaps/photos/", "/swaps/new/"
COUPLE = "group-two-people"
WOMAN = "0.7,0.4"


def send(client: Client, data: bytes | None = None, place: str = "source", **more: str) -> Any:
    body: dict[str, object] = {**more} or {"image": file(data)}
    return client.post(PHOTOS, {"place": place, **body})


def seen(owner: User, name: str) -> Upload:
    """Return a photo that a worker has looked at."""
    upload = keep_upload(owner, real(name))
    look_at_photo.call(str(upload.pk))
    upload.refresh_from_db()
    return upload


def asked(client: Client, upload: Upload, place: str = "source") -> Any:
    return client.get(f"{PHOTOS}{upload.pk}/?place={place}").json()


# --- sending and looking -----------------------------------------------------------------------


def test_a_photo_that_is_sent_is_stored_and_waits_to_be_looked_at(
    as_alice: Client, alice: User
) -> None:
    answer = send(as_alice)
    assert answer.status_code == 201
    upload = Upload.objects.get(owner=alice)
    body = answer.json()
    assert body == {
        "id": str(upload.pk),
        "url": reverse("swaps:upload", args=[upload.pk]),
        "width": 40,
        "height": 30,
        "status": "looking",
        "faces": [],
        "says": [],
        "message": "",
        "is_kept": False,
    }
    assert as_alice.get(body["url"]).getvalue()[8:12] == b"WEBP"
    assert as_alice.get(f"{PHOTOS}{upload.pk}/").json() == body


def test_what_it_shows_is_told_in_words_for_its_place(as_alice: Client, alice: User) -> None:
    couple = seen(alice, COUPLE)
    source, target = (asked(as_alice, couple, place) for place in ("source", "target"))
    assert (source["status"], len(source["faces"])) == ("ready", 2)
    assert source["message"] == "2 faces. Choose the one to use."
    assert target["message"] == "2 faces. Choose the one to replace."
    profile = asked(as_alice, seen(alice, "hard-man-profile"))
    assert profile["faces"][0]["advice"] == ["turned"]
    assert f"turned away by {abs(round(profile['faces'][0]['yaw']))}°" in profile["says"][0]


def test_a_photo_without_a_face_says_so_at_once(as_alice: Client, alice: User) -> None:
    nobody = seen(alice, "noface-cap-over-face")
    assert asked(as_alice, nobody)["status"] == "refused"
    assert "No face was found in the face photo" in asked(as_alice, nobody)["message"]
    assert "target photo" in asked(as_alice, nobody, "target")["message"]


@pytest.mark.parametrize("data", [b"hello", b"", picture()[:300]], ids=["text", "empty", "cut"])
def test_a_file_that_cannot_be_used_is_refused_in_words(as_alice: Client, data: bytes) -> None:
    answer = send(as_alice, data)
    assert answer.status_code == 422
    assert answer.json()["status"] == "refused"
    assert answer.json()["message"].startswith("The face photo cannot be used. ")
    assert not Upload.objects.exists()


def test_nothing_sent_is_said(as_alice: Client) -> None:
    answer = as_alice.post(PHOTOS, {"place": "target"})
    assert (answer.status_code, answer.json()["message"]) == (422, "Choose a target photo.")


def test_the_photo_of_an_earlier_swap_can_be_looked_at(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    for ref in (f"swap.{swap.pk}", f"swap.{swap.pk}.target"):
        assert send(as_alice, copy=ref).status_code == 201
    first, second = Upload.objects.order_by("created_at")
    assert storage.read(first.key) == storage.read(swap.source_key)
    assert storage.read(second.key) == storage.read(swap.target_key)


def test_a_strangers_photos_do_not_exist(as_charlie: Client, alice: User) -> None:
    upload, swap = keep_upload(alice, photo()), finished_swap(alice)
    url = f"{PHOTOS}{upload.pk}/"
    assert as_charlie.get(url).status_code == 404
    assert as_charlie.post(f"{url}keep/").status_code == 404
    as_charlie.post(f"{url}delete/")
    assert Upload.objects.filter(pk=upload.pk).exists()
    assert send(as_charlie, copy=f"swap.{swap.pk}").status_code == 422


def test_photos_are_counted_before_they_are_opened(as_alice: Client, settings: Settings) -> None:
    settings.FACESWAP_PHOTOS_PER_MINUTE = 2
    answers = [send(as_alice) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert "2 pictures a minute" in answers[2].json()["message"]


def test_a_full_account_is_said(as_alice: Client, settings: Settings) -> None:
    settings.FACESWAP_ACCOUNT_BYTES = 10
    answer = send(as_alice)
    assert answer.status_code == 403
    assert "Delete swaps" in answer.json()["message"]


def test_asking_is_cheap(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    upload = keep_upload(alice, photo())
    as_alice.get(f"{PHOTOS}{upload.pk}/")
    with django_assert_num_queries(3):  # session, user, photo
        as_alice.get(f"{PHOTOS}{upload.pk}/")


def test_a_deleted_photo_is_gone_with_its_bytes(
    as_alice: Client, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    upload = keep_upload(alice, photo())
    for _ in range(2):  # twice is no error
        with django_capture_on_commit_callbacks(execute=True):
            answer = as_alice.post(
                f"{PHOTOS}{upload.pk}/delete/", headers={"Accept": "application/json"}
            )
        assert answer.json() == {"deleted": True}
    with pytest.raises(FileNotFoundError):
        storage.read(upload.key)
    assert AccountStorage.objects.get(user=alice).size == 0


# --- choosing ----------------------------------------------------------------------------------


def request(client: Client, source: Upload, target: Upload, **more: str) -> Any:
    body = {"source_photo": str(source.pk), "target_photo": str(target.pk), "consent": "on"}
    return client.post(NEW, body | more)


def test_the_chosen_faces_are_kept_with_the_swap(as_alice: Client, alice: User) -> None:
    source, target = seen(alice, "face-man-frontal"), seen(alice, COUPLE)
    answer = request(as_alice, source, target, source_face="0.5,0.5", target_face=WOMAN)
    swap = Swap.objects.get()
    assert answer["Location"] == reverse("swaps:detail", args=[swap.pk])
    assert swap.pairs == [{"source": 0, "source_face": [0.5, 0.5], "target_face": [0.7, 0.4]}]
    assert not Upload.objects.exists()  # used up


def test_one_face_can_be_put_on_all(as_alice: Client, alice: User) -> None:
    source, target = seen(alice, "face-man-frontal"), seen(alice, COUPLE)
    request(as_alice, source, target, target_faces="all", target_face=WOMAN)
    assert Swap.objects.get().pairs[0]["target_face"] == "all"


def test_with_one_face_each_nothing_is_asked(as_alice: Client, alice: User) -> None:
    request(as_alice, seen(alice, "face-man-frontal"), seen(alice, "face-woman-frontal"))
    assert Swap.objects.get().pairs == []


def test_of_several_faces_one_more_step_asks_which(as_alice: Client, alice: User) -> None:
    source, target = seen(alice, COUPLE), seen(alice, COUPLE)
    page = request(as_alice, source, target).content.decode()
    assert not Swap.objects.exists()
    assert page.count('name="source_face"') == page.count('name="target_face"') == 2
    assert 'name="target_faces"' in page
    assert f'name="source_photo" value="{source.pk}"' in page
    # Of what is chosen already nothing is asked again.
    page = request(as_alice, source, target, source_face="0.45,0.3").content.decode()
    assert '<input type="hidden" name="source_face" value="0.45,0.3">' in page
    assert page.count('name="target_face"') == 2


def test_further_faces_go_onto_further_faces(as_alice: Client, alice: User) -> None:
    man, woman, target = (
        seen(alice, name) for name in ("face-man-frontal", "face-woman-frontal", COUPLE)
    )
    request(as_alice, man, target, target_face=WOMAN, pair=f"{woman.pk};;0.45,0.3")
    swap = Swap.objects.get()
    assert swap.pairs == [
        {"source": 0, "source_face": None, "target_face": [0.7, 0.4]},
        {"source": 1, "source_face": None, "target_face": [0.45, 0.3]},
    ]
    assert [storage.content_type(key) for key in swap.more_source_keys] == ["image/jpeg"]
    assert not Upload.objects.exists()
    run_swap.call(str(swap.pk))
    swap.refresh_from_db()
    assert swap.status == "succeeded"


@pytest.mark.parametrize("pair", ["", ";;0.4,0.3", "swap.nobody;;0.4,0.3", "{pk};;", "{pk};;7,7"])
def test_a_further_face_that_is_not_right_is_refused(
    as_alice: Client, alice: User, pair: str
) -> None:
    source, target = seen(alice, "face-man-frontal"), seen(alice, COUPLE)
    text = pair.format(pk=source.pk)
    page = request(as_alice, source, target, target_face=WOMAN, pair=text)
    assert page.status_code == 422
    assert "One of the further faces" in page.content.decode()
    assert not Swap.objects.exists()


@pytest.mark.parametrize("face", ["1,2", "a,b", "0.5", "nan,0.5", "0.1,0.2,0.3"])
def test_a_strange_point_is_refused(as_alice: Client, alice: User, face: str) -> None:
    source, target = seen(alice, "face-man-frontal"), seen(alice, COUPLE)
    assert request(as_alice, source, target, target_face=face).status_code == 422
    assert not Swap.objects.exists()


# --- a hosted provider, who cannot be told -----------------------------------------------------


def test_a_hosted_provider_gets_the_chosen_face_alone(
    as_alice: Client, alice: User, settings: Settings
) -> None:
    settings.FACESWAP_PROVIDER = "hosted"
    source, target = seen(alice, COUPLE), seen(alice, COUPLE)
    page = request(as_alice, source, target).content.decode()
    assert 'name="source_face"' in page
    assert 'name="target_face"' not in page  # which is said at the photo
    assert "takes the largest" in asked(as_alice, target, "target")["message"]
    request(as_alice, source, target, source_face=WOMAN)
    swap = Swap.objects.get()
    assert swap.pairs == []
    cropped = keep_upload(alice, real(COUPLE))
    cropped.key = swap.source_key
    cropped.save()
    look_at_photo.call(str(cropped.pk))
    cropped.refresh_from_db()
    assert len(cropped.faces) == 1


# --- consent -----------------------------------------------------------------------------------


def test_consent_is_remembered_for_the_session_and_kept_with_each_swap(
    as_alice: Client, alice: User
) -> None:
    for _ in range(2):
        source, target = seen(alice, "face-man-frontal"), seen(alice, "face-woman-frontal")
        body = {"source_photo": str(source.pk), "target_photo": str(target.pk)}
        if not Swap.objects.exists():
            assert as_alice.post(NEW, body).status_code == 422
            body["consent"] = "on"
        assert as_alice.post(NEW, body).status_code == 302
    first, second = Swap.objects.order_by("created_at")
    assert first.consented_at == second.consented_at is not None
    page = as_alice.get(NEW).content.decode()
    assert "You have confirmed for this visit" in page
    assert 'name="consent"' not in page


# --- My faces ----------------------------------------------------------------------------------


def test_a_kept_face_is_offered_used_and_stays(as_alice: Client, alice: User) -> None:
    face, target = seen(alice, "face-man-frontal"), seen(alice, "face-woman-frontal")
    assert as_alice.post(f"{PHOTOS}{face.pk}/keep/").json()["is_kept"]
    assert f"?source_photo={face.pk}" in as_alice.get(NEW).content.decode()
    assert f'value="{face.pk}"' in as_alice.get(f"{NEW}?source_photo={face.pk}").content.decode()
    request(as_alice, face, target)
    assert list(Upload.objects.all()) == [face]


def test_at_most_twelve_faces_are_kept(as_alice: Client, alice: User) -> None:
    for _ in range(MAX_MY_FACES):
        keep_upload(alice, photo(), is_kept=True)
    one_more = keep_upload(alice, photo())
    answer = as_alice.post(f"{PHOTOS}{one_more.pk}/keep/")
    assert answer.status_code == 403
    assert "12 faces" in answer.json()["message"]
    assert Upload.objects.my_faces().count() == MAX_MY_FACES


def test_a_face_is_kept_no_longer(as_alice: Client, alice: User) -> None:
    face = keep_upload(alice, photo(), is_kept=True)
    assert not as_alice.post(f"{PHOTOS}{face.pk}/keep/", {"kept": "0"}).json()["is_kept"]


def test_my_faces_are_looked_after_on_their_page(as_alice: Client, alice: User) -> None:
    page = reverse("swaps:my_faces")
    assert "No face is kept" in as_alice.get(page).content.decode()
    face = keep_upload(alice, photo(), is_kept=True)
    assert str(face.pk) in as_alice.get(page).content.decode()
    answer = as_alice.post(f"{PHOTOS}{face.pk}/delete/", headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer["Location"] == page
    assert not Upload.objects.exists()


def test_kept_faces_survive_a_new_password(alice: User) -> None:
    face, passing = keep_upload(alice, photo(), is_kept=True), keep_upload(alice, photo())
    possession.confirm_by_reset(alice, timezone.now(), keep_swaps=True)
    assert list(Upload.objects.all()) == [face]
    assert not Upload.objects.filter(pk=passing.pk).exists()


def test_a_guest_cannot_send_photos_ahead(client: Client) -> None:
    client.post("/try/", {})
    assert send(client).status_code == 302  # to the sign-in page
    assert not Upload.objects.exists()


def test_the_step_that_asks_keeps_further_faces(as_alice: Client, alice: User) -> None:
    couple, man = seen(alice, COUPLE), seen(alice, "face-man-frontal")
    pair = f"{man.pk};;0.45,0.3"
    page = request(as_alice, couple, seen(alice, COUPLE), target_face=WOMAN, pair=pair)
    assert f'name="pair" value="{pair}"' in page.content.decode()


def test_consent_lasts_for_a_visit(as_alice: Client, alice: User) -> None:
    session = as_alice.session
    session[consent.FIELD] = (timezone.now() - consent.LIFE).isoformat()
    session.save()
    assert 'name="consent"' in as_alice.get(NEW).content.decode()
