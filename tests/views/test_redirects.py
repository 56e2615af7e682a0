"""Where ``next`` may lead, and that no header or address breaks a page."""

from urllib.parse import urlencode

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from swaps import links
from swaps.models import User
from tests.cast import signed_in

pytestmark = pytest.mark.django_db
SITE = "https://faces.example.org"
PASSWORD = "correct horse battery"

ELSEWHERE = """
https://evil.example/
http://faces.example.org/swaps/new/
https://localhost/swaps/new/
https://127.0.0.1/swaps/new/
https://[::1]/swaps/new/
https://faces.example.org:8443/swaps/new/
https://faces.example.org.evil.example/
https://evil.example\\@faces.example.org/
https://faces.example.org@evil.example/
https://alice:secret@faces.example.org/
//evil.example/
///evil.example/
////evil.example/
/\\evil.example/
\\\\evil.example/
\\/evil.example/
/\t/evil.example/
\t//evil.example/
\0//evil.example/
\u200b//evil.example/
 https://evil.example/
https:evil.example
https:/evil.example/
https:///evil.example/
http:///evil.example
javascript:alert(1)
JaVaScRiPt:alert(1)
data:text/html,hello
swaps:home
account_logout
evil.example
?next=//evil.example
http://[::1/
http://[::1]]/
https://[/
//[::1/
http://[v1.x]/
https://faces.example.org:port/
https://faces.example.org:99999/
https://faces.example.org\\.evil.example/
https://ｅｖｉｌ.example/
https://faces.example.org。evil.example/
https://evil。example/
https://faces%2eexample%2eorg.evil.example/
/swaps/\udc80
""".strip("\n").split("\n")
ELSEWHERE += [
    "java\nscript:alert(1)",
    "/swaps/\r\nSet-Cookie: a=b",
    "/" + "a" * 5000,
    "[" * 3000,
    "//" + "[" * 3000,
]
HERE = {
    "/swaps/new/": "/swaps/new/",
    "/docs/api/?source=a%2Fb#try": "/docs/api/?source=a%2Fb#try",
    "/swaps/?q=ü": "/swaps/?q=%C3%BC",
    "https://faces.example.org/swaps/new/": "https://faces.example.org/swaps/new/",
    "HTTPS://Faces.Example.Org:443/swaps/": "HTTPS://Faces.Example.Org:443/swaps/",
    "/[::1/": "/[::1/",
}


@pytest.fixture(autouse=True)
def _production(settings: Settings) -> None:
    settings.SITE_URL = SITE
    settings.ALLOWED_HOSTS = ["faces.example.org", "127.0.0.1", "localhost", "[::1]"]


def over_https(client: Client) -> Client:
    client.defaults |= {"HTTP_HOST": "faces.example.org", "wsgi.url_scheme": "https"}
    client.raise_request_exception = False
    return client


def where_it_leads(client: Client, path: str, wanted: str, **fields: str) -> list[str]:
    """By a link to the form, and by the form itself; nowhere when a page is shown."""
    asked = client.get(f"{path}?{urlencode({'next': wanted}, errors='replace')}")
    sent = client.post(path, {**fields, "next": wanted.encode(errors="replace").decode()})
    assert asked.status_code < 500
    assert sent.status_code in {200, 302}, sent.status_code
    return [answer.get("Location", "") for answer in (asked, sent)]


@pytest.mark.parametrize("wanted", ELSEWHERE, ids=lambda text: ascii(text)[:60])
def test_nobody_is_led_elsewhere(wanted: str, alice: User, staff: User) -> None:
    sign_in = {"login": alice.email, "password": PASSWORD}
    sign_up = {"email": "dora@example.com", "password1": "a fine long pass phrase"}
    address = EmailAddress(user=alice, email=alice.email)
    address.save()
    confirm = reverse("account_confirm_email", args=[EmailConfirmationHMAC(address).key])
    led = [
        *where_it_leads(over_https(Client()), reverse("account_login"), wanted, **sign_in),
        *where_it_leads(over_https(Client()), reverse("account_signup"), wanted, **sign_up),
        *where_it_leads(over_https(signed_in(alice)), reverse("account_logout"), wanted),
        *where_it_leads(over_https(signed_in(alice)), reverse("account_login"), wanted, **sign_in),
        *where_it_leads(
            over_https(signed_in(alice)),
            reverse("account_reauthenticate"),
            wanted,
            password=PASSWORD,
        ),
        *where_it_leads(over_https(Client()), confirm, wanted),
        *where_it_leads(over_https(Client()), reverse("admin:login"), wanted),
        *where_it_leads(
            over_https(signed_in(staff)),
            reverse("admin:login"),
            wanted,
            username=staff.email,
            password=PASSWORD,
        ),
    ]
    own = ("/accounts/", "/admin/", "/swaps/", "/?", "")
    assert [
        place for place in led if place not in {"/", *own} and not place.startswith(own[:4])
    ] == []
    assert [place for place in led if place.partition("?")[0] == wanted] == []


@pytest.mark.parametrize(("wanted", "led_to"), HERE.items())
def test_a_place_of_this_site_is_where_one_goes_on(wanted: str, led_to: str, alice: User) -> None:
    sign_in = {"login": alice.email, "password": PASSWORD}
    led = where_it_leads(over_https(Client()), reverse("account_login"), wanted, **sign_in)
    assert led == ["", led_to]


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("/faces", True),
        ("/faces/", True),
        ("/faces?a=b", True),
        ("/faces/swaps/new/?a=/../b", True),
        ("https://faces.example.org/faces/swaps/", True),
        ("/", False),
        ("/facesque/", False),
        ("/other/", False),
        ("/faces/../other/", False),
        ("/faces/%2e%2e/other/", False),
        ("https://faces.example.org/other/", False),
    ],
)
def test_with_a_path_in_the_address_only_what_is_below_it_is_this_site(
    url: str, is_here: bool, settings: Settings
) -> None:
    settings.SITE_URL = f"{SITE}/faces"
    assert links.is_on_this_site(url) == is_here


MALFORMED = [
    "http://[::1/",
    "http://[::1]]:x/",
    "//[",
    "\xff\xfe",
    "null",
    "a" * 3000,
    "https://",
    "::",
]
HEADERS = ["origin", "referer", "host", "hx-current-url", "x-forwarded-proto", "x-forwarded-host"]


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("header", HEADERS)
def test_no_malformed_header_breaks_a_page(header: str, value: str, alice: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    for client in (over_https(strict), over_https(signed_in(alice))):
        for path in ("/", "/swaps/", "/accounts/login/", "/admin/", "/face/swap", "/nowhere"):
            headers = {header: value, "hx-request": "true"}
            assert client.get(path, headers=headers).status_code < 500
            assert client.post(path, headers=headers).status_code < 500
