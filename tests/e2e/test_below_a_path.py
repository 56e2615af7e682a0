"""A site whose SITE_URL has a path lives below it: nothing in a browser asks outside of it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor
from tests.e2e.ways import LOADED, choose, download, sign_up, submit
from tests.paths import SOURCE, TARGET
from tests.running_site import RunningSite, running_site

PATH = "/tools/faces"


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("below"), path=PATH) as site:
        yield site


def acquire(visitor: Visitor) -> str:
    page = visitor.open("/docs/api/")
    visitor.follow(page.get_by_role("button", name="Acquire"))
    return page.locator("#token").inner_text()


def sample(page: Page, key: str) -> str:
    """The Python program of the documentation, with the whole key."""
    code: str = page.locator("#request-python").text_content() or ""
    return re.sub(r"Bearer fs_[^\"]*", f"Bearer {key}", code)


def test_everything_works_below_the_path(new_visitor: NewVisitor, site: RunningSite) -> None:
    visitor = new_visitor()
    sign_up(visitor, "anna@example.com")
    page = visitor.page
    choose(page, SOURCE, TARGET)
    with site.resting_worker():
        submit(page)
        expect(page.locator(".stage.waiting")).to_be_visible()
    expect(page.locator("[data-compare]")).to_be_visible()
    page.wait_for_function(LOADED)
    assert download(page, "Download as PNG").startswith(b"\x89PNG")
    cookies = visitor.context.cookies(site.url)
    assert {cookie["path"] for cookie in cookies} == {PATH}
    assert {cookie["name"] for cookie in cookies} == {
        "sessionid_tools_faces",
        "csrftoken_tools_faces",
    }

    key = acquire(visitor)
    page = visitor.open("/docs/api/")
    page.get_by_label("Your key").fill(key)
    program = sample(page, key)
    page.locator(".ways").get_by_text("Call me back", exact=True).click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer [data-status]")).to_have_text("200 OK")
    expect(page.locator("#inspector-place")).to_contain_text("task_id")
    page.locator("#answer [data-ask]").click()
    expect(page.locator("#task [data-status]")).to_have_text("200 OK")
    page.wait_for_function("document.querySelector('#task [data-picture] img')?.naturalWidth > 0")

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    picture = re.findall(r"'image_url': '([^']+)'", done.stdout)[0]
    assert picture.startswith(f"{site.url}/files/")
    assert requests.get(picture, timeout=10).content.startswith(b"\xff\xd8\xff")
    own = {"source_image_url": picture, "target_image_url": f"{site.url}/samples/1-photo.jpg"}
    headers = {"authorization": f"Bearer {key}"}
    answer = requests.post(f"{site.url}/face/swap", json=own, headers=headers, timeout=60)
    assert answer.status_code == 200, answer.text


def test_every_link_of_every_page_leads_below_the_path(
    new_visitor: NewVisitor, site: RunningSite
) -> None:
    visitor = new_visitor("bea")
    for path in ("/", "/swaps/", "/swaps/new/", "/docs/api/", "/api/keys/", "/nowhere/"):
        page = visitor.get(path).text()
        links = re.findall(r'(?:href|src|action|hx-(?:get|post))="([^"#]*)', page)
        outside = [link for link in links if not link.startswith((PATH, "?"))]
        assert {link for link in outside if urlsplit(link).path} == set(), path
    document = json.loads(visitor.get("/face/openapi.json").text())
    assert document["servers"] == [{"url": site.url}]
    assert "x-trace-id" in visitor.get("/face/nowhere").headers
    assert visitor.get("/admin/").headers["location"].startswith(f"{PATH}/admin/login/")


def test_a_proxy_may_take_the_path_away(site: RunningSite) -> None:
    root = site.url.removesuffix(PATH)
    assert requests.get(f"{root}/healthz", timeout=10).json()["status"] == "ok"
    static = re.findall(r'href="([^"]+\.css)"', requests.get(f"{root}/", timeout=10).text)[0]
    assert static.startswith(f"{PATH}/static/")
    for path in (static, static.removeprefix(PATH)):
        assert requests.get(f"{root}{path}", timeout=10).status_code == 200
    assert f"Ready on {site.url}" in site.read_log()
