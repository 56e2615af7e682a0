"""What pages say about where the pictures go: to whom they are sent, and what stays here."""

import pytest
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from swaps.context_processors import host_of_provider
from swaps.models import User
from tests.swap_rows import queued_swap

pytestmark = pytest.mark.django_db
HERE = "Your pictures stay on this server."
HOST = "api.faces.example"


@pytest.fixture
def hosted(settings: Settings) -> None:
    settings.FACESWAP_PROVIDER = "hosted"
    settings.FACESWAP_HOSTED_URL = f"https://someone:secret@{HOST}:8443/v1"
    settings.FACESWAP_HOSTED_KEY = "no-key-of-anybody"


def read(client: Client, url: str) -> str:
    return client.get(url).content.decode()


def test_with_its_own_engine_the_pictures_stay_and_pages_say_so(as_alice: Client) -> None:
    home = read(as_alice, "/")
    assert HERE in home
    assert "It stays here" in home
    assert "on your own server" in home
    for url in ("/", "/swaps/", "/swaps/new/", "/docs/api/"):
        page = read(as_alice, url)
        assert HERE in page
        assert "sent to" not in page


@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize("url", ["/", "/swaps/", "/swaps/new/", "/docs/api/", "/nowhere/"])
def test_with_a_hosted_provider_no_page_says_that_pictures_stay(as_alice: Client, url: str) -> None:
    page = read(as_alice, url)
    assert f"The pictures of a swap are sent to {HOST}, which makes the result." in page
    for untrue in (HERE, "It stays here", "Kept on this server", "on your own server"):
        assert untrue not in page


@pytest.mark.usefixtures("hosted")
def test_the_first_page_says_who_makes_the_result_and_what_deleting_means(client: Client) -> None:
    page = read(client, "/")
    assert f"Made by {HOST}, kept here" in page
    assert f"Both photos are sent to {HOST}, which makes the result, over links that end" in page
    assert f"What {HOST} may keep of them is up to {HOST}." in page


@pytest.mark.usefixtures("hosted")
def test_people_know_to_whom_their_pictures_go_before_they_send_them(as_alice: Client) -> None:
    page = read(as_alice, "/swaps/new/")
    message = page.index(f"Both pictures are sent to <b>{HOST}</b>")
    assert message < page.index('aria-describedby="sent-to"')


@pytest.mark.usefixtures("hosted")
def test_no_page_shows_more_of_the_address_than_the_host(as_alice: Client) -> None:
    for url in ("/", "/swaps/new/", "/docs/api/"):
        page = read(as_alice, url)
        assert HOST in page
        for private in ("someone", "secret@", "8443", "no-key-of-anybody"):
            assert private not in page


@pytest.mark.usefixtures("hosted")
def test_deleting_a_hosted_swap_promises_only_what_this_site_can_do(
    as_alice: Client, alice: User
) -> None:
    page = read(as_alice, reverse("swaps:detail", args=[queued_swap(alice).pk]))
    assert "Both photos are removed from this site’s storage." in page


def test_callers_of_the_api_know_when_only_their_pictures_are_sent(
    as_alice: Client, settings: Settings
) -> None:
    settings.FACESWAP_HOSTED_URL, settings.FACESWAP_API_PROVIDER = f"https://{HOST}", "hosted"
    assert f"those of API calls are sent to {HOST}" in read(as_alice, "/")
    assert "It stays here" in read(as_alice, "/")
    assert f"Both pictures are sent to {HOST}, which makes the result" in read(
        as_alice, "/docs/api/"
    )
    assert f"Both pictures are sent to <b>{HOST}" not in read(as_alice, "/swaps/new/")


@pytest.mark.usefixtures("hosted")
def test_a_page_that_is_shown_without_a_request_makes_no_claim() -> None:
    page = get_template("400.html").render()
    assert "Your pictures" not in page
    assert "sent to" not in page


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.faces.example", "api.faces.example"),
        ("http://127.0.0.1:8001/face", "127.0.0.1"),
        ("api.faces.example", "another server"),
        ("https://[", "another server"),
    ],
)
def test_the_host_is_read_from_any_address(settings: Settings, url: str, host: str) -> None:
    settings.FACESWAP_HOSTED_URL = url
    assert host_of_provider() == host


def test_saying_so_asks_the_database_nothing(
    client: Client, settings: Settings, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    settings.FACESWAP_PROVIDER = "hosted"
    with django_assert_num_queries(0):
        client.get("/")
