"""Database, queue and media of commit 80976fa, taken over by today's version.

A site is stopped in the middle of everything, migrated and started again: what waited is finished,
nothing is charged twice, and what was handed out goes on working.
"""

import contextlib
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from PIL import Image
from standardwebhooks import Webhook

from tests.provider_server import Behaviour, Provider, Task, jpeg, running_provider
from tests.receiver import Received, Receiver, receiving
from tests.running import free_port, wait_until
from tests.running_site import RunningSite, running_site
from tests.upgrade.installation import Installation

SECONDS = 120  # for all that waits, on a machine that is busy with something else
DONE = ("to_deliver", "to_inspect")  # but for their callbacks
WAITED = (
    *DONE,
    *("sent", "callback_lost", "answered", "new", "queued"),
    *("processing", "to_fetch", "fetching", "by_own_url", "once"),
)
KILLED = ["worker:killed"]
STATE = """
import json
from django_tasks_db.models import DBTaskResult
from swaps.models import ApiAccess, Delivery, InspectedCallback, Quota, Submission, Swap
print(json.dumps({
    "swaps": {str(swap.pk): [swap.status, swap.attempts] for swap in Swap.objects.all()},
    "submissions": {str(row.pk): [row.stage, row.sends] for row in Submission.objects.all()},
    "deliveries": {str(row.swap_id): [row.status, row.attempts_made]
                   for row in Delivery.objects.all()},
    "inspected": [row.body for row in InspectedCallback.objects.all()],
    "tasks": list(DBTaskResult.objects.exclude(status="SUCCESSFUL")
                  .values_list("task_path", "status", "worker_ids")),
    "quotas": {name: [row.remaining, row.spent] for name, model in
               (("browser", Quota), ("api", ApiAccess))
               for row in model.objects.filter(user__email="alice@example.com")},
}))
"""


@dataclass(frozen=True, kw_only=True)
class Upgraded:
    """The site once nothing waits any more."""

    site: RunningSite
    facts: dict[str, Any]
    provider: Provider
    receiver: Receiver
    state: dict[str, Any]
    callback_statuses: list[int | None]

    def swap(self, name: str) -> str:
        pk: str = self.facts["swaps"][name]
        return pk

    def link(self, name: str) -> str:
        url: str = self.facts["links"][name]
        return url

    def call(self, path: str, body: Any, *, key: str = "", token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.facts['token']}"}
        headers |= {"Idempotency-Key": key} if key else {}
        return requests.post(f"{self.site.url}{path}", json=body, headers=headers, timeout=60)

    def ask(self, name: str) -> dict[str, Any]:
        """What ``/face/tasks`` says of a swap."""
        body = {"action": "retrieve", "id": self.swap(name)}
        reply: dict[str, Any] = self.call("/face/tasks", body).json()
        return reply

    def browse(self, path: str, **cookies: str) -> requests.Response:
        return requests.get(f"{self.site.url}{path}", cookies=cookies, timeout=60)

    def browse_as_before(self, path: str) -> requests.Response:
        """In the browser that was signed in."""
        return self.browse(path, sessionid=self.facts["session"])

    def received(self, number: int) -> list[Received]:
        return self.receiver.inboxes[f"/callbacks/{number}"].received


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    port = free_port()
    with running_provider(fetches=True) as provider, receiving() as receiver:
        addresses = {"provider": provider.url, "receiver": receiver.url}
        old = Installation({"site": f"http://127.0.0.1:{port}", **addresses})
        facts = old.facts
        for _ in range(4):
            receiver.inbox()
        tasks = {name: _task(name, facts) for name in facts["provider_tasks"]}
        provider.tasks.update({task.id: task for task in tasks.values()})
        hosts = [url.removeprefix("http://") for url in addresses.values()]
        environment = {
            "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",  # as it hashed passwords
            "SECRET_KEY": facts["secret_key"],
            "FACESWAP_API_URL": provider.url,
            "FACESWAP_API_KEY": facts["provider_key"],
            "FACESWAP_CALLBACK_DEADLINE": str(facts["deadline"]),
            "FACESWAP_FETCH_ALLOW": ", ".join(hosts),
            "FACESWAP_HOSTED_RESULT_HOSTS": hosts[0],
        }
        with running_site(
            tmp_path_factory.mktemp("upgraded"), port=port, environment=environment, fill=old.unpack
        ) as site:
            _finish(tasks["sent"])
            statuses = [provider.post_again(tasks["sent"]) for _ in range(2)]
            state = _state_at_the_end(site, facts)
            yield Upgraded(
                site=site,
                facts=facts,
                provider=provider,
                receiver=receiver,
                state=state,
                callback_statuses=statuses,
            )


def _task(name: str, facts: dict[str, Any]) -> Task:
    """What the provider knows of a swap that was sent to it by the version before."""
    task = Task(
        id=facts["provider_tasks"][name],
        request={"callback_url": facts["links"]["callback"]},
        behaviour=Behaviour(),
    )
    if name != "sent":
        _finish(task)
    return task


def _finish(task: Task) -> None:
    picture = Image.new("RGB", (240, 240), "olive")
    task.result, task.size, task.finished_at = jpeg(picture), picture.size, time.time()


def _state_at_the_end(site: RunningSite, facts: dict[str, Any]) -> dict[str, Any]:
    """Once the log tells the end of all that waited, and the queue has nothing more to do."""
    swaps = facts["swaps"]
    lines = [f"swap={swaps[name]} succeeded" for name in WAITED if name not in DONE]
    lines += [f"swap={swaps[name]} attempt=1 delivered" for name in (*DONE, "to_fetch")]
    states: list[dict[str, Any]] = []

    def is_over() -> bool:
        log = site.read_log()
        if any(line not in log for line in lines):
            return False
        states.append(json.loads(site.run(STATE)))
        return all(workers == KILLED for *_, workers in states[-1]["tasks"])

    assert wait_until(is_over, SECONDS), f"{states[-1:]}\n{site.read_log()[-6000:]}"
    return states[-1]


# --- What waited ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WAITED)
def test_a_swap_that_waited_is_finished(upgraded: Upgraded, name: str) -> None:
    status, attempts = upgraded.state["swaps"][upgraded.swap(name)]

    assert status == "succeeded"
    assert attempts == (2 if name == "processing" else 1)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("succeeded", "succeeded"),
        ("hidden", "succeeded"),
        ("failed", "failed"),
        ("removed", "removed"),
        ("api_succeeded", "succeeded"),
        ("api_failed", "failed"),
        ("hosted_succeeded", "succeeded"),
        ("hosted_failed", "failed"),
    ],
)
def test_a_swap_that_had_ended_is_as_it_was(upgraded: Upgraded, name: str, status: str) -> None:
    assert upgraded.state["swaps"][upgraded.swap(name)] == [status, 1]


def test_nothing_is_charged_twice_and_nothing_given_back(upgraded: Upgraded) -> None:
    assert upgraded.state["quotas"] == upgraded.facts["quotas"]


def test_the_provider_is_asked_for_nothing_that_it_has(upgraded: Upgraded) -> None:
    assert len(upgraded.provider.swaps) == 1
    assert [call.payload["id"] for call in upgraded.provider.task_calls] == [
        upgraded.facts["provider_tasks"]["callback_lost"]
    ]
    submissions = upgraded.state["submissions"]
    assert len(submissions) == 6
    assert all(row == ["ended", 1] for row in submissions.values())


def test_no_task_is_left_and_none_has_broken(upgraded: Upgraded) -> None:
    """But for those of the processes that were killed: their rows are deleted after a day."""
    assert upgraded.facts["ready_tasks"] == [
        "swaps.tasks.ask_provider",
        "swaps.tasks.collect_result",
        *["swaps.tasks.deliver_callback"] * 2,
        "swaps.tasks.fetch_pictures",
        *["swaps.tasks.run_swap"] * 3,
        "swaps.tasks.submit_swap",
    ]
    assert sorted(upgraded.state["tasks"]) == [
        ["swaps.tasks.fetch_pictures", "RUNNING", KILLED],
        ["swaps.tasks.run_swap", "RUNNING", KILLED],
    ]


@pytest.mark.parametrize(("name", "number"), [("to_deliver", 2), ("to_fetch", 3)])
def test_a_callback_that_waited_comes_once_with_the_signature_of_the_old_secret(
    upgraded: Upgraded, name: str, number: int
) -> None:
    (callback,) = upgraded.received(number)

    Webhook(upgraded.facts["callback_secret"]).verify(callback.body.decode(), callback.headers)
    assert json.loads(callback.body)["task_id"] == upgraded.swap(name)
    assert upgraded.state["deliveries"][upgraded.swap(name)] == ["delivered", 1]


def test_a_callback_that_had_come_does_not_come_again(upgraded: Upgraded) -> None:
    assert upgraded.received(0) == upgraded.received(1) == []
    assert upgraded.state["deliveries"][upgraded.swap("api_succeeded")] == ["delivered", 1]


def test_the_inspector_has_what_waited_for_it(upgraded: Upgraded) -> None:
    (body,) = upgraded.state["inspected"]
    assert json.loads(body)["task_id"] == upgraded.swap("to_inspect")


# --- What was handed out --------------------------------------------------------------------------


def test_a_provider_reports_to_the_url_that_it_was_given(upgraded: Upgraded) -> None:
    assert upgraded.callback_statuses == [202, 204]


def test_the_url_of_the_inspector_takes_callbacks(upgraded: Upgraded) -> None:
    answer = requests.post(upgraded.link("inspector"), json={"hello": "world"}, timeout=60)
    assert answer.ok


@pytest.mark.parametrize("name", ["file", "thumbnail", "kept"])
def test_a_signed_url_shows_its_picture(upgraded: Upgraded, name: str) -> None:
    answer = requests.get(upgraded.link(name), timeout=60)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("image/")


def test_an_api_key_is_accepted_and_a_revoked_one_is_not(upgraded: Upgraded) -> None:
    assert upgraded.ask("to_fetch")["response"]["success"] is True

    body = {"action": "retrieve", "id": upgraded.swap("to_fetch")}
    refused = upgraded.call("/face/tasks", body, token=upgraded.facts["revoked_token"])
    assert refused.status_code == 401


def test_a_call_that_is_sent_again_is_the_same(upgraded: Upgraded) -> None:
    sent = upgraded.facts["idempotency"]

    answer = upgraded.call("/face/swap", sent["body"], key=sent["key"])

    assert answer.json()["task_id"] == upgraded.swap("once")
    assert answer.headers["X-Quota-Remaining"] == str(upgraded.facts["quotas"]["api"][0])


@pytest.mark.parametrize("name", ["failed", "hosted_failed", "api_failed"])
def test_a_swap_that_had_failed_says_why(upgraded: Upgraded, name: str) -> None:
    message = upgraded.facts["messages"][upgraded.swap(name)]
    assert message.startswith("No face was found in the face photo.")

    assert message in upgraded.browse_as_before(f"/swaps/{upgraded.swap(name)}/").text
    assert upgraded.ask(name)["response"]["error"] == {
        "code": "no_face",
        "message": f"source_image_url: {message}",
    }


def test_a_browser_stays_signed_in_and_shows_what_it_showed(upgraded: Upgraded) -> None:
    history = upgraded.browse_as_before("/swaps/")
    assert history.status_code == 200
    assert upgraded.swap("new") in history.text

    statuses = {
        name: upgraded.browse_as_before(f"/swaps/{upgraded.swap(name)}/result/").status_code
        for name in ("succeeded", "hosted_succeeded", "processing", "hidden", "removed")
    }
    assert statuses == {
        **dict.fromkeys(("succeeded", "hosted_succeeded", "processing"), 200),
        **dict.fromkeys(("hidden", "removed"), 404),
    }


def test_kept_photos_are_kept(upgraded: Upgraded) -> None:
    for pk in upgraded.facts["kept_uploads"]:
        assert upgraded.browse_as_before(f"/swaps/uploads/{pk}/").status_code == 200


@pytest.mark.parametrize("name", ["alice", "bob", "staff"])
def test_a_password_opens_its_account(upgraded: Upgraded, name: str) -> None:
    with _signed_in(upgraded, name) as browser:
        assert browser.get(f"{upgraded.site.url}/swaps/", timeout=60).ok


def test_staff_find_all_rows_in_the_admin(upgraded: Upgraded) -> None:
    admin = f"{upgraded.site.url}/admin/"
    with _signed_in(upgraded, "staff") as staff:
        lists = re.findall(r'href="/admin/(\w+/\w+/)"', staff.get(admin, timeout=60).text)
        assert "swaps/swap/" in lists

        for each in sorted(set(lists)):
            assert staff.get(f"{admin}{each}", timeout=60).status_code == 200, each
        page = staff.get(f"{admin}swaps/swap/{upgraded.swap('failed')}/change/", timeout=60)
    assert upgraded.facts["messages"][upgraded.swap("failed")] in page.text


def test_a_mailed_link_confirms_an_address(upgraded: Upgraded) -> None:
    page = requests.get(upgraded.link("confirm_bob"), timeout=60)

    assert page.status_code == 200
    assert "bob@example.com" in page.text


def test_a_mailed_link_sets_a_password(upgraded: Upgraded) -> None:
    page = requests.get(upgraded.link("reset_carol"), timeout=60)

    assert page.status_code == 200
    assert 'name="password1"' in page.text


@contextlib.contextmanager
def _signed_in(upgraded: Upgraded, name: str) -> Iterator[requests.Session]:
    url = f"{upgraded.site.url}/accounts/login/"
    with requests.Session() as browser:
        token = re.search(
            r'name="csrfmiddlewaretoken" value="(\w+)"', browser.get(url, timeout=60).text
        )
        assert token
        form = {
            "csrfmiddlewaretoken": token[1],
            "login": f"{name}@example.com",
            "password": upgraded.facts["password"],
        }
        answer = browser.post(url, form, timeout=60)
        assert answer.ok
        assert "sessionid" in browser.cookies
        yield browser
