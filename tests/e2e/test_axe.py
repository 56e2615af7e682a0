"""axe-core finds nothing, on any page, of the site and of its admin, light and dark.

It is put into pages by the browser, past their policy; the site itself has no part of it.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import cast

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import NewVisitor
from tests.e2e.visitor import Visitor
from tests.parts import on_one_database
from tests.paths import COUPLE, NO_FACE, SOURCE, TARGET
from tests.running import wait_until
from tests.running_site import RunningSite

pytestmark = on_one_database

AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RUN = """options => axe.run(document, {resultTypes: ["violations"], preload: false, ...options})
    .then(found => found.violations)"""
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
# The page nowhere; on a desk no list of the admin either.
SIDEWAYS = """() => [document.documentElement, ...document.querySelectorAll(".results")]
    .filter(box => box.scrollWidth > box.clientWidth)
    .filter(box => box === document.documentElement || innerWidth >= 1280)
    .map(box => `${box.tagName}.${box.className} scrolls sideways: ${box.scrollWidth} px
        in ${box.clientWidth}`)"""
SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "desktop": {"width": 1280, "height": 900},
}
# Rows of every kind, with what is long in real life. Prints their keys.
MANY = """
import datetime, json, uuid
from django.utils import timezone
from swaps.models import *
from swaps.models import ProviderCallback, Submission
from allauth.account.models import EmailAddress
long = "a.remarkably.long.and.winding.name+of-somebody@subdomain.of.a.rather.long.example.org"
owner, _ = User.objects.get_or_create(email=long)
address, _ = EmailAddress.objects.get_or_create(user=owner, email=long)
now = timezone.now()
words = "The hosted provider took longer than it may, and was asked " + "again and " * 12 + "again."
key, token = ApiKey.objects.issue(owner, name="A key with a name that is as long as it may be", )
failed = [
    Swap.objects.create(owner=owner, status="failed", error_code="api_error", error_message=words,
        provider="hosted", door="api", api_key=key, trace_id=uuid.uuid4().hex)
    for _ in range(3)
]
Swap.objects.create(owner=owner, status="removed")
url = "https://" + "hooks." * 8 + "example.org/faces/callbacks/of/somebody"
for swap in failed:
    delivery = Delivery.objects.create(swap=swap, owner=owner, url=url, status="given_up",
        failures=11, attempts_made=11, next_attempt_at=None, last_status=503, last_error=words)
    DeliveryAttempt.objects.create(delivery=delivery, started_at=now, seconds=0.25, status=503,
        error=words[:200], response_excerpt="<b>busy</b> " * 20)
    Submission.objects.create(swap=swap, stage="ended", sends=2, problem=words[:300],
        task_id="task-" + uuid.uuid4().hex, error_code="no_face", error_message=words[:400],
        sent_at=now, answered_at=now)
    callback = ProviderCallback.objects.record(swap.pk, "accepted",
        json.dumps({"success": False, "error": words}), now)
report = BadResult.objects.create(swap=swap, owner=owner, reason="blemishes", is_refunded=True)
Grant.objects.give(owner, "api", 50, reason="For the workshop, as agreed with the organisers.")
print(json.dumps({
    "user": owner.pk, "emailaddress": address.pk, "apikey": key.pk, "delivery": str(delivery.pk),
    "swap": str(swap.pk), "submission": str(swap.pk), "badresult": report.pk,
    "providercallback": ProviderCallback.objects.filter(swap=swap).first().pk,
}))
"""


@pytest.fixture(scope="module")
def keys(site: RunningSite) -> dict[str, str]:
    """The primary key of one row of each kind."""
    return cast("dict[str, str]", json.loads(site.run(MANY)))


@pytest.fixture(scope="module")
def staff(site: RunningSite) -> tuple[str, str]:
    email, password = f"axe-{secrets.token_hex(4)}@example.com", secrets.token_urlsafe()
    site.manage(
        *("createsuperuser", "--noinput"),
        DJANGO_SUPERUSER_EMAIL=email,
        DJANGO_SUPERUSER_PASSWORD=password,
    )
    return email, password


def admin_pages(keys: dict[str, str], size: str) -> Iterator[str]:
    yield from ("/admin/", "/admin/swaps/", "/admin/account/", "/admin/password_change/")
    yield from ("/admin/swaps/hostedprovider/", "/admin/swaps/user/add/")
    yield from ("/admin/account/emailaddress/add/", "/admin/django_tasks_database/dbtaskresult/")
    for model, key in keys.items():
        app = "account" if model == "emailaddress" else "swaps"
        yield f"/admin/{app}/{model}/"
        yield f"/admin/{app}/{model}/{key}/change/"
        if size == "desktop":  # laid out as what stands above
            yield f"/admin/{app}/{model}/?q=nothing-like-this"
            yield f"/admin/{app}/{model}/{key}/history/"
    for model, app in (("user", "swaps"), ("emailaddress", "account")):
        yield f"/admin/{app}/{model}/{keys[model]}/delete/"
    yield f"/admin/swaps/user/{keys['user']}/password/"


def barriers(page: Page, options: Mapping[str, object] | None = None) -> list[str]:
    """What axe says, and whether the page is wider than the window; each a sentence."""
    page.wait_for_load_state()
    page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
    if not page.evaluate("typeof axe !== 'undefined'"):
        page.evaluate(AXE)
    found = [
        f"{violation['id']}: {node['html'][:160]} {' '.join(node['failureSummary'].split())[:250]}"
        for violation in page.evaluate(RUN, options or {})
        for node in violation["nodes"]
    ]
    return [*found, *page.evaluate(SIDEWAYS)]


def look_at(page: Page) -> list[str]:
    """Everything in the light, and the colours in the dark; a phone has the colours of a desk."""
    page.emulate_media(color_scheme="light")
    found = [f"light: {sentence}" for sentence in barriers(page)]
    size = page.viewport_size
    if size and size["width"] < 1280:
        return found
    page.emulate_media(color_scheme="dark")
    return found + [f"dark: {sentence}" for sentence in barriers(page, COLOURS)]


def expect_none(found: dict[str, list[str]]) -> None:
    """Says all that was found, and not only how the first one differs from nothing."""
    if message := [
        f"{path} {sentence}" for path, all_of_it in found.items() for sentence in all_of_it
    ]:
        pytest.fail("\n".join(message), pytrace=False)


def submit(page: Page, label: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=label).click()


@pytest.mark.parametrize("size", SIZES)
def test_the_admin_has_no_barriers(
    new_visitor: NewVisitor, staff: tuple[str, str], keys: dict[str, str], size: str
) -> None:
    visitor = new_visitor(viewport=SIZES[size], bypass_csp=True, reduced_motion="reduce")
    visitor.sign_in(*staff)
    found = {path: look_at(visitor.open(path)) for path in admin_pages(keys, size)}
    for model, action in (
        *(("swap", "remove"), ("apikey", "revoke"), ("user", "block")),
        ("user", "delete_selected"),
    ):
        page = visitor.open(f"/admin/swaps/{model}/")
        page.locator(f"input[name=_selected_action][value='{keys[model]}']").check()
        page.locator("select[name=action]").select_option(action)
        submit(page, "Go")
        expect(page.get_by_role("button", name="Yes, ")).to_be_visible()
        found[f"{model}: {action}"] = look_at(page)
    page = visitor.open("/admin/swaps/user/add/")
    submit(page, "Save and add another")
    found["a refused form"] = look_at(page)
    page = visitor.open("/admin/")
    submit(page, "Log out")
    found["logged out"] = look_at(page)
    expect_none(found)


@pytest.mark.parametrize("size", SIZES)
def test_the_site_has_no_barriers(new_visitor: NewVisitor, size: str) -> None:
    stranger = new_visitor(viewport=SIZES[size], bypass_csp=True, reduced_motion="reduce")
    paths = [
        "/",
        "/try/",
        tried(stranger),
        "/docs/api/",
        "/nothing/here/",
        "/s/a-link-that-has-ended/",
    ]
    paths += [f"/accounts/{name}/" for name in ("login", "signup", "password/reset")]
    stranger.expected = {404}
    found = {path: look_at(stranger.open(path)) for path in paths}
    member = axe_member(new_visitor, size)
    done, failed = member.swaps()[:2]
    paths = ["/", "/swaps/", "/swaps/new/", f"/swaps/{done}/", f"/swaps/{failed}/", "/docs/api/"]
    paths += ["/swaps/faces/", "/batches/new/", "/api/keys/", "/api/deliveries/"]
    paths += [f"/accounts/{name}/" for name in ("email", "password/change", "logout")]
    paths.append(share(member, done))
    for path in paths:
        page = member.open(path)
        for summary in page.locator("main summary:visible").all():
            summary.click()
        found[f"member {path}"] = look_at(page)
    found["several faces"] = look_at(choose_among_faces(member))
    expect_none(found)


def choose_among_faces(member: Visitor) -> Page:
    """Return the form of a new swap with boxes on faces, advice, and one more face."""
    page = member.open("/swaps/new/")
    page.locator("#id_source_image").set_input_files(TARGET)
    page.locator("#id_target_image").set_input_files(COUPLE)
    page.locator(".extras input[type=file]").set_input_files(SOURCE)
    page.locator(".extras li").wait_for()
    return page


def axe_member(new_visitor: NewVisitor, size: str) -> Visitor:
    """Somebody with keys, a refusal and a picture."""
    member = new_visitor(
        "axe", is_shared=True, viewport=SIZES[size], bypass_csp=True, reduced_motion="reduce"
    )
    if not member.swaps():
        member.wait_for(member.request_swap(NO_FACE, TARGET), "failed")
        member.wait_for(member.request_swap())
        member.post("/api/acquire/", "/api/keys/")
    return member


def tried(stranger: Visitor) -> str:
    """Return the path of a picture that a guest made."""
    samples = {"source_sample": "face-1", "target_sample": "photo-1"}
    page = stranger.post("/try/", "/try/", consent="on", **samples).headers["location"]
    wait_until(lambda: "Your picture" in stranger.get(page).text())
    return page


def share(member: Visitor, swap: str) -> str:
    """Return the path of a shared picture's page."""
    page = f"/swaps/{swap}/"
    member.post(f"{page}share/", page, days="1")
    found = re.search(r"/s/[\w-]+/", member.get(page).text())
    assert found
    return found[0]


def test_axe_notices_what_is_wrong(new_visitor: NewVisitor) -> None:
    page = new_visitor(bypass_csp=True).open("/accounts/login/")
    page.evaluate("""() => {
        const pale = document.createElement("p");
        pale.append("can hardly be read");
        Object.assign(pale.style, {color: "silver", background: "white"});
        document.querySelector("main").append(
            document.createElement("button"), new Image(2000), pale);
    }""")
    found = {tuple(sentence.split(": ")[:2]) for sentence in look_at(page)}
    assert found >= {("light", "button-name"), ("light", "image-alt")}
    assert found >= {("light", "color-contrast"), ("dark", "color-contrast")}
