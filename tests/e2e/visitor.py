"""A visitor: a browser context that records everything that should not happen."""

import re
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    APIResponse,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    WebError,
)

from tests import evidence
from tests.paths import SOURCE, TARGET
from tests.running_site import RunningSite

# As long as anything may take on a machine that is busy with something else.
MAX_WAIT_MS = 60_000
PASSWORD = "a fine long pass phrase"
HTTP_ERROR = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")


class Visitor:
    """A browser context. ``expected`` are the HTTP errors that a test provokes on purpose."""

    def __init__(self, site: RunningSite, context: BrowserContext) -> None:
        self.site = site
        self.context = context
        self.expected: set[int] = set()
        self.wrongs: list[str] = []
        self.requests: list[Request] = []
        self.email = ""
        evidence.watch(context)
        context.set_default_timeout(MAX_WAIT_MS)
        context.on("request", self._note_request)
        context.on("console", self._note_console)
        context.on("weberror", self._note_error)
        self.page: Page = context.new_page()

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.site.url}{path}")
        return self.page

    def follow(self, control: Locator) -> Page:
        """Click a link to another page, and return when that page has been loaded.

        A click alone returns while the old document may still stand, or the new one has no body.
        """
        with self.page.expect_navigation():
            control.click()
        return self.page

    # --- what needs no browser page -------------------------------------------------------

    def get(self, path: str, **options: Any) -> APIResponse:
        return self.context.request.get(f"{self.site.url}{path}", max_redirects=0, **options)

    def post(self, path: str, form_at: str, **fields: Any) -> APIResponse:
        """Post a form as a browser does that has just loaded ``form_at``."""
        page = self.context.request.get(f"{self.site.url}{form_at}").text()
        token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[-1]
        return self.context.request.post(
            f"{self.site.url}{path}",
            multipart={"csrfmiddlewaretoken": token, **fields},
            max_redirects=0,
        )

    def sign_up(self, name: str) -> None:
        self.email = f"{name}-{time.monotonic_ns()}@example.com"
        path = "/accounts/signup/"
        answer = self.post(path, path, email=self.email, password1=PASSWORD)
        assert answer.status == 302, answer.text()

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.email, path = email, "/accounts/login/"
        answer = self.post(path, path, login=email, password=password)
        assert answer.status == 302, answer.text()

    def fill_in_sign_in(self) -> None:
        """Fill in the sign-in page as a person does."""
        self.page.get_by_label("Email").fill(self.email)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.follow(self.page.get_by_role("main").get_by_role("button", name="Sign in"))

    def request_swap(self, source: Path = SOURCE, target: Path = TARGET) -> str:
        """Request a swap and return its id; it may not be finished."""
        new = "/swaps/new/"
        photos = {"source_image": source, "target_image": target}
        answer = self.post(new, new, consent="on", **photos)
        assert answer.status == 302, answer.text()
        return self.swaps()[0]

    def swaps(self) -> list[str]:
        """Return the ids in the history, newest first."""
        return re.findall(r'<li id="swap-([0-9a-f-]{36})"', self.get("/swaps/").text())

    def swaps_left(self) -> int:
        found = re.search(r"(\d+) swaps? left", self.get("/swaps/new/").text())
        assert found
        return int(found[1])

    def wait_for(self, swap: str, status: str = "succeeded") -> str:
        deadline = time.monotonic() + MAX_WAIT_MS / 1000
        while time.monotonic() < deadline:
            card = self.get(f"/swaps/{swap}/card/").text()
            if f'class="card {status}"' in card:
                return swap
            time.sleep(0.05)
        raise AssertionError(f"not {status}: {card}")

    # --- what the browser said ------------------------------------------------------------

    def _note_request(self, request: Request) -> None:
        self.requests.append(request)
        is_here = request.url.startswith((f"{self.site.url}/", "blob:", "data:"))
        if not is_here:
            self.wrongs.append(f"a request to another place: {request.url}")

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type not in {"error", "warning"}:
            return
        status = HTTP_ERROR.match(message.text)
        if not status or int(status[1]) not in self.expected:
            self.wrongs.append(f"{message.type} in the console: {message.text} {message.location}")

    def _note_error(self, error: WebError) -> None:
        self.wrongs.append(f"uncaught: {error.error}")
