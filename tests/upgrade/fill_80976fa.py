# mypy: ignore-errors
# (What it imports from ``swaps`` and ``tests`` is that version's.)
"""Fill database, queue and media with the code of commit 80976fa: makes version_80976fa.tar.xz.

To make it anew, in a checkout of that commit, as it is, with the packages of its
requirements-dev.txt, the engine's models, and an empty PostgreSQL database:

    git worktree add /tmp/old 80976fa && cd /tmp/old
    PYTHONPATH=. FACESWAP_MODELS_DIR=$SITE/var/models python $SITE/tests/upgrade/fill_80976fa.py \
        $SITE/tests/upgrade/version_80976fa.tar.xz postgres://postgres@127.0.0.1:5432/empty

First the whole site runs (``manage.py up``), with a provider and a customer's server from that
version's tests, until all swaps of the first half have ended. Then it is stopped, and the second
half is requested: that waits, in rows and in the queue, for the version that comes next.

Everything goes through that version's own doors and commands, but for three things. What is signed
is signed as of the year 2100: links would end while they lie here. A provider's deadline that is
over is set back. And a worker that is killed is a claim, with its task marked as running.
"""

import base64
import contextlib
import datetime
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUT, POSTGRESQL = Path(sys.argv[1]), sys.argv[2]
SITE, PROVIDER, RECEIVER = 47180, 47181, 47182  # ports
URL = f"http://127.0.0.1:{SITE}"
FOLDER = Path(tempfile.mkdtemp(prefix="faceswap-80976fa-"))
SECRET_KEY = "made-up-for-the-test-of-upgrades-and-used-nowhere-else"
DEADLINE = 600
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
    "FACESWAP_VAR": str(FOLDER),
    "SECRET_KEY": SECRET_KEY,
    "SITE_URL": URL,
    "FACESWAP_API_URL": f"http://127.0.0.1:{PROVIDER}",
    "FACESWAP_API_KEY": "sk-test-5d2f0c1e9a",
    "FACESWAP_HOSTED_RESULT_HOSTS": f"127.0.0.1:{PROVIDER}",
    "FACESWAP_FETCH_ALLOW": f"127.0.0.1:{PROVIDER}, 127.0.0.1:{RECEIVER}",
    "FACESWAP_CALLBACK_DEADLINE": str(DEADLINE),
    "FACESWAP_API_FREE_SWAPS": "20",
}

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.contrib.auth.tokens import PasswordResetTokenGenerator  # noqa: E402
from django.core import mail, signing  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_tasks_db.models import DBTaskResult  # noqa: E402
from PIL import Image  # noqa: E402

from swaps import access, inspector, recovery, storage  # noqa: E402
from swaps.models import (  # noqa: E402
    ApiAccess,
    Delivery,
    Door,
    Grant,
    Quota,
    Stage,
    Submission,
    Swap,
    Upload,
    User,
)
from tests.conformance.receiver import receiving  # noqa: E402
from tests.processes import wait_until  # noqa: E402
from tests.provider_server import Behaviour, fails, providing  # noqa: E402

RECEIVER_URL = f"http://127.0.0.1:{RECEIVER}"
LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
Facts = dict[str, Any]

PASSWORD = "correct horse battery"
PHOTOS = Path("tests/photos")
IN_2100 = datetime.datetime(2100, 1, 1)  # noqa: DTZ001  as Django's generator has it


def main() -> None:
    prepare()
    facts = {
        "secret_key": SECRET_KEY,
        "addresses": {"site": URL, "provider": settings.FACESWAP_API_URL, "receiver": RECEIVER_URL},
        "provider_key": settings.FACESWAP_API_KEY,
        "deadline": DEADLINE,
        "password": PASSWORD,
        "swaps": {},
        "links": {},
    }
    sign_as_of_2100()
    with override_settings(EMAIL_BACKEND=LOCMEM, ALLOWED_HOSTS=["testserver"]):
        fill(facts)
    facts |= expectations() | {"filled_at": timezone.now().isoformat()}
    pack(facts)


def prepare() -> None:
    """As an operator does; without the swaps of the demo account, whose photos are large."""
    call_command("migrate", verbosity=0)
    User.objects.create_user("demo@example.com", PASSWORD)
    call_command("prepare")


def sign_as_of_2100() -> None:
    """In this process, for good."""
    stamp = signing.b62_encode(int(IN_2100.replace(tzinfo=datetime.UTC).timestamp()))
    signing.TimestampSigner.timestamp = lambda _self: stamp
    PasswordResetTokenGenerator._now = lambda _self: IN_2100


def fill(facts: Facts) -> None:
    people = sign_up(facts)
    with receiving(RECEIVER) as receiver, running_site():
        receiver.inbox(), receiver.inbox()
        finish(people, facts["swaps"])
    leave_waiting(people, facts)
    facts["links"] |= links(people, facts)


# --- People ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class People:
    """What alice works with."""

    alice: User
    browser: Client
    token: str


def sign_up(facts: Facts) -> People:
    """alice has confirmed her address; bob has not; carol was made at the desk; staff moderate."""
    alices = Client()
    for browser, email in ((alices, "alice@example.com"), (Client(), "bob@example.com")):
        answer = browser.post("/accounts/signup/", {"email": email, "password1": PASSWORD})
        assert answer.status_code == 302, answer.content
        facts["links"][f"confirm_{email.partition('@')[0]}"] = link_in_mail()
    path = facts["links"].pop("confirm_alice").removeprefix(URL)
    assert alices.post(path).status_code == 302
    alice = User.objects.get(email="alice@example.com")
    staff = User.objects.create_superuser("staff@example.com", PASSWORD)
    User.objects.create_user("carol@example.com", PASSWORD)
    Client().post("/accounts/password/reset/", {"email": "carol@example.com"})
    facts["links"]["reset_carol"] = link_in_mail()

    now = timezone.now()
    _, token = access.acquire(alice)
    revoked, revoked_token = access.create_key(alice, now, name="Old")
    assert revoked.revoke(now)
    Grant.objects.give(alice, Door.API, 5, reason="A good friend", by=staff)
    facts["token"], facts["revoked_token"] = token, revoked_token
    facts["callback_secret"] = ApiAccess.objects.get_or_grant(alice).callback_secret
    facts["session"] = alices.cookies["sessionid"].value
    return People(alice, alices, token)


def link_in_mail() -> str:
    return re.search(rf"{URL}/accounts/\S+", mail.outbox.pop().body).group()


# --- The first half: what has ended ---------------------------------------------------------------


@contextlib.contextmanager
def running_site() -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "manage.py", "up", "--port", str(SITE)])
    try:
        assert wait_until(is_well), "the site is not well"
        yield
    finally:
        process.terminate()
        process.wait()


def is_well() -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(f"{URL}/healthz", timeout=5):
        return True
    return False


def finish(people: People, swaps: dict[str, str]) -> None:
    woman, man, faceless = photo("face-woman-frontal"), photo("face-man-frontal"), no_face()
    good = {"source": woman, "target": man}
    with override_settings(FACESWAP_PROVIDER="embedded"):
        swaps["succeeded"] = by_browser(people, **good)
        swaps["hidden"] = by_browser(people, source=man, target=woman)
        swaps["failed"] = by_browser(people, source=faceless, target=man)
        swaps["removed"] = by_browser(people, **good)
    swaps["api_succeeded"] = by_api(people, woman, man, callback_url=f"{RECEIVER_URL}/callbacks/0")
    swaps["api_failed"] = by_api(people, faceless, man, callback_url=f"{RECEIVER_URL}/callbacks/1")
    answers = [Behaviour(), fails("no_face", "There is no face in the source.")]
    with providing(answers, port=PROVIDER, fetches=True):
        for name in ("hosted_succeeded", "hosted_failed"):
            swaps[name] = by_browser(people, **good)
            has_ended(swaps[name])
        for pk in swaps.values():
            has_ended(pk)
        assert wait_until(lambda: Delivery.objects.filter(status="delivered").count() == 2)
    assert people.browser.post(f"/swaps/{swaps['removed']}/delete/").status_code == 302
    Swap.objects.filter(pk=swaps["hidden"]).update(is_hidden=True)  # as the admin's action does


def has_ended(pk: str) -> None:
    ended = Swap.objects.filter(pk=pk, finished_at__isnull=False)
    assert wait_until(ended.exists), f"{pk} has not ended"


# --- The second half: what waits ------------------------------------------------------------------


def leave_waiting(people: People, facts: Facts) -> None:
    swaps = facts["swaps"]
    woman, man = photo("face-woman-frontal"), photo("face-man-frontal")
    good = {"source": woman, "target": man}

    # Two that the engine has done, and whose callbacks nobody has delivered yet.
    inspected = inspector.url_of(people.alice)
    swaps["to_deliver"] = by_api(people, woman, man, callback_url=f"{RECEIVER_URL}/callbacks/2")
    swaps["to_inspect"] = by_api(people, man, woman, callback_url=inspected)
    call_command("db_worker", queue_name="default", batch=True, startup_delay=False)
    assert Delivery.objects.filter(status="pending").count() == 2

    # With the provider: one that works on it, one whose callback is lost, one that has reported.
    working = Behaviour(works_for=3600)
    with providing([working, working, working], port=PROVIDER):
        for name in ("sent", "callback_lost", "answered"):
            swaps[name] = by_browser(people, **good)
            call_command("db_worker", queue_name="provider", batch=True, startup_delay=False)
    lost = Submission.objects.get(pk=swaps["callback_lost"])
    ago = datetime.timedelta(seconds=DEADLINE + 60)
    Submission.objects.filter(pk=lost.pk).update(
        sent_at=lost.sent_at - ago, due_at=lost.due_at - ago, enqueue_again_at=None
    )
    report(Submission.objects.get(pk=swaps["answered"]))
    recovery.enqueue_submissions(timezone.now())
    facts["provider_tasks"] = {
        name: Submission.objects.get(pk=swaps[name]).task_id
        for name in ("sent", "callback_lost", "answered")
    }
    facts["links"]["callback"] = Submission.objects.get(pk=swaps["sent"]).request["callback_url"]
    swaps["new"] = by_browser(people, **good)
    assert Submission.objects.get(pk=swaps["new"]).stage == Stage.NEW

    # For the engine, and to be fetched; one of each in the hands of a process that was killed.
    with override_settings(FACESWAP_PROVIDER="embedded"):
        swaps["queued"] = by_browser(people, **good)
        swaps["processing"] = by_browser(people, **good)
    photos = f"{RECEIVER_URL}/photos"
    named = (f"{photos}/face-man-beard-smile.jpg", f"{photos}/face-woman-dark-skin.jpg")
    swaps["to_fetch"] = by_api(people, *named, callback_url=f"{RECEIVER_URL}/callbacks/3")
    swaps["fetching"] = by_api(people, *named, is_async=True)
    for name in ("processing", "fetching"):
        leave_as_killed(swaps[name])

    # By picture URLs that need no network; one with an idempotency key.
    facts["links"]["kept"] = kept = keep_picture(people)
    swaps["by_own_url"] = by_api(people, woman, kept, is_async=True)
    answer = call(people, data_url(woman), data_url(man), is_async=True, key="once-only")
    swaps["once"] = answer["task_id"]
    facts["idempotency"] = {"key": "once-only", "body": answer["body"]}
    bad = {
        "source_image": upload(photo("face-woman-smiling-frontal")),
        "target_image": upload(b"no"),
    }
    assert people.browser.post("/swaps/new/", bad | {"consent": "on"}).status_code == 422
    facts["kept_uploads"] = [str(pk) for pk in Upload.objects.values_list("pk", flat=True)]
    assert len(facts["kept_uploads"]) == 2


def report(submission: Submission) -> None:
    """The provider's callback, as it comes in."""
    image_url = f"{settings.FACESWAP_API_URL}/results/{submission.task_id}.jpg"
    body = {"success": True, "task_id": submission.task_id, "image_url": image_url}
    path = submission.request["callback_url"].removeprefix(URL)
    answer = Client().post(path, json.dumps(body), content_type="application/json")
    assert answer.status_code == 202, answer.status_code


def leave_as_killed(pk: str) -> None:
    assert Swap.objects.get(pk=pk).claim()
    (task,) = (row for row in DBTaskResult.objects.ready() if row.args_kwargs["args"] == [pk])
    task.claim("worker:killed")


def keep_picture(people: People) -> str:
    """The playground's way to a URL."""
    form = {"name": "target", "picture": upload(photo("face-man-frontal"))}
    answer = people.browser.post("/docs/api/uploads/", form, headers={"HX-Request": "true"})
    return re.search(rf"{URL}/files/[^\"&\s]+", answer.content.decode()).group()


# --- Doors ----------------------------------------------------------------------------------------


def by_browser(people: People, *, source: bytes, target: bytes) -> str:
    form = {"source_image": upload(source), "target_image": upload(target), "consent": "on"}
    before = set(Swap.objects.values_list("pk", flat=True))
    answer = people.browser.post("/swaps/new/", form)
    assert answer.status_code == 302, answer.content
    return str(Swap.objects.exclude(pk__in=before).get().pk)


def by_api(people: People, source: bytes | str, target: bytes | str, **more: Any) -> str:
    urls = (each if isinstance(each, str) else data_url(each) for each in (source, target))
    return call(people, *urls, **more)["task_id"]


def call(
    people: People,
    source: str,
    target: str,
    *,
    callback_url: str = "",
    is_async: bool = False,
    key: str = "",
) -> dict[str, Any]:
    body = {"source_image_url": source, "target_image_url": target}
    body |= {"callback_url": callback_url} if callback_url else {}
    body |= {"async": True} if is_async else {}
    headers = {"Authorization": f"Bearer {people.token}", "Idempotency-Key": key}
    answer = Client().post(
        "/face/swap", json.dumps(body), content_type="application/json", headers=headers
    )
    assert answer.status_code == 200, answer.content
    return answer.json() | {"body": body}


def links(people: People, facts: Facts) -> dict[str, str]:
    ask = {"action": "retrieve", "id": facts["swaps"]["api_succeeded"]}
    headers = {"Authorization": f"Bearer {people.token}"}
    answer = Client().post(
        "/face/tasks", json.dumps(ask), content_type="application/json", headers=headers
    )
    thumb = storage.thumb_key(Swap.objects.get(pk=facts["swaps"]["succeeded"]).result_key)
    return {
        "file": answer.json()["response"]["image_url"],
        "thumbnail": storage.presigned_url(thumb, 3600),
        "inspector": inspector.url_of(people.alice),
    }


# --- Pictures: real faces, small ------------------------------------------------------------------


def photo(name: str) -> bytes:
    out = io.BytesIO()
    with Image.open(PHOTOS / f"{name}.jpg") as image:
        image.thumbnail((240, 240))
        image.save(out, "JPEG", quality=75)
    return out.getvalue()


def no_face() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (96, 96), "tan").save(out, "JPEG")
    return out.getvalue()


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("photo.jpg", data, "image/jpeg")


def data_url(data: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


# --- The archive ----------------------------------------------------------------------------------


def expectations() -> Facts:
    alice = User.objects.get(email="alice@example.com")
    rows = {"browser": Quota.objects.get(user=alice), "api": ApiAccess.objects.get(user=alice)}
    return {
        "quotas": {name: [row.remaining, row.spent] for name, row in rows.items()},
        "messages": {
            str(swap.pk): swap.error_message for swap in Swap.objects.filter(status="failed")
        },
        "ready_tasks": sorted(row.task_path for row in DBTaskResult.objects.ready()),
    }


def pack(facts: Facts) -> None:
    rows = FOLDER / "rows.json"
    call_command(
        "dumpdata", output=str(rows), exclude=["contenttypes", "auth.permission"], verbosity=0
    )
    connections.close_all()
    (FOLDER / "facts.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    (FOLDER / "sqlite.sql").write_text(of_sqlite(), encoding="utf-8")
    (FOLDER / "postgresql.sql").write_text(of_postgresql(rows), encoding="utf-8")
    with tarfile.open(OUT, "w:xz") as archive:
        for name in ("facts.json", "sqlite.sql", "postgresql.sql", "media"):
            archive.add(FOLDER / name, name, filter=anonymous)
    print(FOLDER, OUT.stat().st_size)  # noqa: T201


def anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(time.time())
    return entry


def of_sqlite() -> str:
    with contextlib.closing(sqlite3.connect(FOLDER / "db.sqlite3")) as database:
        return "\n".join(database.iterdump())


def of_postgresql(rows: Path) -> str:
    """The same rows in a database that the same version has made; psql's own commands left out."""
    environment = os.environ | {"DATABASE_URL": POSTGRESQL}
    for command in (["migrate"], ["createcachetable"], ["loaddata", str(rows)]):
        subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True)
    options = ("--inserts", "--no-owner", "--no-privileges")
    dump = subprocess.run(["pg_dump", *options, POSTGRESQL], check=True, capture_output=True)
    of_the_session = re.compile(r"^(SET |\\|SELECT pg_catalog\.set_config).*\n", re.MULTILINE)
    return of_the_session.sub("", dump.stdout.decode())


main()
