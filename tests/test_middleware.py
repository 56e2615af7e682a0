"""Who asks, when proxies pass requests on."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from swaps.middleware import trust_known_proxies_only
from swaps.net import proxies

TRUSTED = proxies.parse_networks(["127.0.0.1", "::1", "10.0.0.0/8", "2001:db8:aaaa::/48"])


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1,203.0.113.9,10.0.0.7", "203.0.113.9"),
        ("127.0.0.1", "10.1.1.1, 10.0.0.7", "10.1.1.1"),
        ("127.0.0.1", "2001:db8::9", "2001:db8::9"),
        ("127.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"),
        ("127.0.0.1", "[2001:db8::9]", "2001:db8::9"),
        ("127.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("127.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("127.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:aaaa::5", "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, unknown", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9, _hidden, 10.0.0.7", "10.0.0.7"),
        ("127.0.0.1", "203.0.113.9,", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9:port", "127.0.0.1"),
        ("127.0.0.1", "999.0.113.9", "127.0.0.1"),
        ("127.0.0.1", "1" * 100_000, "127.0.0.1"),
        ("127.0.0.1", "1.1.1.1," * 50_000 + "203.0.113.9", "203.0.113.9"),
        ("127.0.0.1", "1.1.1.1," + ",".join(["10.0.0.7"] * 50), "10.0.0.7"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("::ffff:198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("", "203.0.113.9", ""),
    ],
)
def test_addresses_are_read_from_the_right_and_past_trusted_proxies_only(
    peer: str, forwarded_for: str, client: str
) -> None:
    assert proxies.client_address(peer, forwarded_for, TRUSTED) == client


def passed_on(peer: str, **headers: str) -> HttpRequest:
    """The request as the site sees it."""
    seen: list[HttpRequest] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request)
        return HttpResponse()

    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers)
    trust_known_proxies_only(view)(request)
    return seen[0]


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "1",
    "X-Real-Ip": "203.0.113.9",
    "Forwarded": "for=203.0.113.9",
}


def test_by_default_nobodys_forwarded_headers_are_believed() -> None:
    request = passed_on("127.0.0.1", **FORWARDED)
    assert request.META["REMOTE_ADDR"] == "127.0.0.1"
    assert not any("FORWARDED" in name or name == "HTTP_X_REAL_IP" for name in request.META)


def test_a_trusted_proxy_says_who_asks_and_that_it_was_by_https(settings: Settings) -> None:
    settings.FACESWAP_TRUSTED_PROXIES = ["127.0.0.1"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

    request = passed_on("127.0.0.1", **FORWARDED)

    assert request.META["REMOTE_ADDR"] == "203.0.113.9"
    assert request.is_secure()
    assert "HTTP_X_FORWARDED_HOST" not in request.META
    assert not passed_on("198.51.100.1", **FORWARDED).is_secure()


def test_of_several_schemes_the_proxys_own_counts(settings: Settings) -> None:
    settings.FACESWAP_TRUSTED_PROXIES = ["127.0.0.1"]
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert not passed_on("127.0.0.1", **{"X-Forwarded-Proto": "https, http"}).is_secure()
    assert passed_on("127.0.0.1", **{"X-Forwarded-Proto": "http, https"}).is_secure()


@pytest.mark.django_db
def test_limits_count_the_address_that_the_proxy_adds(settings: Settings) -> None:
    settings.FACESWAP_TRUSTED_PROXIES = ["127.0.0.1"]
    settings.ACCOUNT_RATE_LIMITS = {"reset_password": "2/m/ip"}

    def ask(number: int, address: str) -> int:
        headers = {"X-Forwarded-For": f"1.1.1.{number}, {address}"}
        email = {"email": f"nobody-{number}@example.com"}
        return Client(headers=headers).post(reverse("account_reset_password"), email).status_code

    assert [ask(number, "203.0.113.9") for number in range(4)] == [302, 302, 429, 429]
    assert ask(9, "203.0.113.10") == 302
