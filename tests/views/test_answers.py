"""What all answers have, whichever layer gives them."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from swaps.models import User
from tests.swap_rows import finished_swap

pytestmark = pytest.mark.django_db
PAGES = {
    "the first page": ("/", {}, 200),
    "nothing there": ("/nowhere/", {}, 404),
    "a host that is not ours": ("/", {"HTTP_HOST": "evil.example"}, 400),
    "a host that is none": ("/", {"HTTP_HOST": "a b/<c>"}, 400),
    "an API call": ("/face/swap", {}, 405),
    "no API call": ("/face/nothing", {}, 404),
    "an API call at a host that is not ours": ("/face/x", {"HTTP_HOST": "evil.example"}, 400),
    "the admin": ("/admin/", {}, 302),
    "no static file": ("/static/nothing.css", {}, 404),
    "a file that is none": ("/files/nonsense/", {}, 404),
    "a path without its slash": ("/swaps", {}, 301),
    "health": ("/healthz", {}, 503),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_answer_has_the_sites_policy(client: Client, name: str) -> None:
    path, headers, status = PAGES[name]
    answer = client.get(path, **headers)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_host_that_is_not_ours_leaves_no_traceback_in_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/", headers={"host": "scanner.example"}).status_code == 400
    assert [record for record in caplog.records if record.exc_info] == []


def test_a_host_that_is_not_ours_is_led_to_ours(client: Client, settings: Settings) -> None:
    answer = client.get("/", HTTP_HOST="evil.example")
    assert answer.status_code == 400
    assert f'href="{settings.SITE_URL}/"' in answer.text


def test_so_have_those_that_refuse_a_form(as_alice: Client, settings: Settings) -> None:
    forged = Client(enforce_csrf_checks=True).post(reverse("account_login"))
    settings.FACESWAP_MAX_UPLOAD_BYTES = 1
    too_big = as_alice.post(reverse("swaps:new"), {"photo": "x" * 1_000})
    settings.SECURE_SSL_REDIRECT = True
    by_http = Client().get("/swaps/")

    refused = [forged, too_big, by_http]
    assert [answer.status_code for answer in refused] == [403, 413, 301]
    for answer in refused:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_no_shared_cache_keeps_what_somebody_sees(as_alice: Client, alice: User) -> None:
    swap = finished_swap(alice)
    result = reverse("swaps:result", args=[swap.pk])
    paths = ["/", "/swaps/", "/swaps/new/", "/docs/api/", "/api/keys/", "/accounts/email/"]
    paths += [reverse("swaps:detail", args=[swap.pk]), result, f"{result}?download=png"]
    paths += [reverse("swaps:thumb", args=[swap.pk, "source"]), "/nowhere/"]

    for path in paths:
        answer = as_alice.head(path)
        cache_control = answer.headers["Cache-Control"]
        assert "private" in cache_control, path
        assert "public" not in cache_control, path


def test_a_page_with_a_secret_address_names_it_to_no_other_request(client: Client) -> None:
    answer = client.get("/accounts/confirm-email/SECRET/")
    assert answer.headers["Referrer-Policy"] == "strict-origin"
    assert client.get("/").headers["Referrer-Policy"] == "same-origin"


def test_a_limit_on_attempts_is_said_in_words(client: Client, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"signup": "0/m/ip"}

    answer = client.post(reverse("account_signup"), {"email": "dora@example.com"})

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    page = answer.content.decode()
    assert "Wait a minute" in page
    assert '<header class="bar">' in page
