"""The documentation page: all that the OpenAPI document says, and the playground's fragments."""

import html
import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from standardwebhooks import Webhook, WebhookVerificationError

from swaps import errors
from swaps.accounts import api_keys
from swaps.api import schemas
from swaps.api.description import answers, openapi
from swaps.api.description.error_meanings import MEANINGS
from swaps.deliveries import arrivals, deliver, inspector
from swaps.deliveries.arrivals import SignatureVerdict, verify_signature
from swaps.lifecycle import detect
from swaps.lifecycle.inputs import Input, read_local_picture
from swaps.lifecycle.request import ApiCall, request_swap
from swaps.lifecycle.settle import settle
from swaps.messages import TEXTS
from swaps.models import ApiAccess, ApiKey, Detection, InspectedCallback, Swap, Upload, User
from swaps.providers.base import Seen
from swaps.views.docs import schema_text
from swaps.views.docs.reference import reference
from tests.pictures import photo, picture
from tests.swap_rows import finished

DOCUMENT = openapi.document(settings.SITE_URL)
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
OPERATIONS = [operation for verbs in DOCUMENT["paths"].values() for operation in verbs.values()]
HTMX = {"HX-Request": "true", "HX-Current-URL": "http://testserver/docs/api/"}
PAGE, SAMPLES = "/docs/api/", "/docs/api/samples/"
UPLOADS, CALLBACKS = "/docs/api/uploads/", "/docs/api/callbacks/"


def page_of(client: Client, path: str = PAGE, **query: str) -> str:
    answer = client.get(path, query)
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(page: str) -> str:
    """As it is read: without tags, with single spaces."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", page)))


def fragment(client: Client, path: str, **query: str) -> str:
    answer = client.get(path, query, headers=HTMX)
    assert answer.status_code == 200
    return answer.content.decode()


def code(page: str, name: str) -> str:
    found = re.search(rf'<pre id="{re.escape(name)}">(.*?)</pre>', page, re.DOTALL)
    assert found, name
    return html.unescape(found[1])


def plain(markdown: str) -> str:
    return re.sub(r"[`*]+", "", markdown)


@pytest.fixture
def page(db: None) -> str:
    return page_of(Client())


# --- all that the document says ------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SCHEMAS if "properties" in SCHEMAS[name]])
def test_every_field_of_the_document_stands_on_the_page(page: str, name: str) -> None:
    message = text_of(page)
    for field, schema in SCHEMAS[name]["properties"].items():
        assert re.search(rf"<dt><code>(?:\w+\.)?{field}</code>", page), field
        assert plain(schema.get("description", "")) in message
    assert plain(SCHEMAS[name].get("description", "")) in message


def test_required_fields_are_marked(page: str) -> None:
    for field in SCHEMAS["SwapCall"]["properties"]:
        found = re.search(rf"<dt><code>{field}</code>(.*?)</dt>", page, re.DOTALL)
        assert found
        assert ("required" in found[1]) == (field in SCHEMAS["SwapCall"]["required"])


def test_every_operation_header_and_answer_stands_on_the_page(page: str) -> None:
    message = text_of(page)
    for path, verbs in DOCUMENT["paths"].items():
        assert f"POST{path}" in message
        for operation in verbs.values():
            assert plain(operation["summary"]) in message
            assert plain(operation["description"]) in message
            assert plain(operation["responses"]["200"]["description"]) in message
            for parameter in operation.get("parameters", []):
                assert parameter["name"] in message
                assert plain(parameter["description"]) in message
    for name, header in DOCUMENT["components"]["headers"].items():
        assert f"<code>{name}</code>" in page
        assert header["description"] in message
    for callback in OPERATIONS[0]["callbacks"].values():
        for verbs in callback.values():
            assert plain(verbs["post"]["description"]) in message


def test_every_error_has_a_place_its_status_and_its_meaning(page: str) -> None:
    message = text_of(page)
    for error, meaning in MEANINGS.items():
        assert page.count(f'id="error-{error.code}"') == 1
        assert f"{error.code}{error.status} " in message
        assert plain(meaning) in message
    assert set(MEANINGS) == set(errors.SwapError.by_code.values())


def test_each_operation_links_to_its_errors(page: str) -> None:
    for operation in reference(settings.SITE_URL).operations:
        section = page.partition(f'<section id="{operation.anchor}"')[2].partition("</section>")[0]
        assert set(re.findall(r'href="#error-(\w+)"', section)) == set(operation.error_codes)


def test_links_within_the_page_lead_somewhere(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert sorted(ids) == sorted(set(ids))
    assert set(re.findall(r'(?:href|data-copy)="#([^"]+)"', page)) <= set(ids)


def test_the_examples_are_what_the_schemas_allow() -> None:
    found = reference(settings.SITE_URL)
    shapes = [found.error]
    for operation in found.operations:
        shapes += [*operation.bodies, *operation.answers]
    assert len(shapes) > 5
    for shape in (shape for shape in shapes if shape.example):
        model = getattr(schemas, shape.name, None) or getattr(answers, shape.name)
        model.model_validate_json(shape.example)


@pytest.mark.parametrize(
    ("schema", "words", "limits"),
    [
        ({"type": "string", "format": "uri", "minLength": 1}, "string, URL", "not empty"),
        ({"type": "integer", "minimum": 1, "maximum": 9}, "integer", "at least 1, at most 9"),
        (
            {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]},
            "number",
            "more than 0",
        ),
        ({"const": True}, "always <code>true</code>", ""),
        (
            {"type": "array", "items": {"type": "string"}, "maxItems": 5},
            "list of string",
            "at most 5 of them",
        ),
        ({"type": "string", "pattern": "^<a>$"}, "string", "matches <code>^&lt;a&gt;$</code>"),
    ],
)
def test_types_and_limits_are_said_in_words(
    schema: dict[str, Any], words: str, limits: str
) -> None:
    assert schema_text.type_text(schema) == words
    assert schema_text.limits_text(schema) == limits


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a `b` and **c**", "a <code>b</code> and <strong>c</strong>"),
        ("<b>`<script>`</b>", "&lt;b&gt;<code>&lt;script&gt;</code>&lt;/b&gt;"),
        ("a ` lonely ** mark", "a ` lonely ** mark"),
        ("`a ** b` ** c", "<code>a ** b</code> ** c"),
        ("{0} & {x}", "{0} &amp; {x}"),
    ],
)
def test_markdown_of_two_kinds_is_shown_and_nothing_gets_through(text: str, shown: str) -> None:
    assert schema_text.render_markdown(text) == shown


def test_the_page_says_how_to_verify_and_that_is_right(page: str) -> None:
    names: dict[str, Any] = {}
    secret = ApiAccess._meta.get_field("callback_secret").get_default()
    exec(code(page, "verify").replace("whsec_...", secret), names)
    now, body = timezone.now(), '{"success": true}'
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(int(now.timestamp())),
        "Webhook-Signature": Webhook(secret).sign("msg_1", now, body),
    }
    assert names["receive"](body.encode(), headers) == {"success": True}
    with pytest.raises(WebhookVerificationError):
        names["receive"](b'{"success": false}', headers)


# --- for the reader ------------------------------------------------------------------------


def test_a_visitor_sees_everything_without_a_query(
    django_assert_num_queries: DjangoAssertNumQueries, db: None
) -> None:
    with django_assert_num_queries(0):
        page = page_of(Client())
    assert f'action="{reverse("swaps:acquire")}"' in page
    assert f"{settings.FACESWAP_API_FREE_SWAPS} swaps are free" in page
    assert "Bearer fs_..." in page
    assert reverse("api_description") in page
    assert "Sign in</a> to upload your own" in page


def test_a_member_with_a_key_sees_what_is_left_and_their_own_prefix(
    as_alice: Client, alice: User, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    issued = api_keys.acquire(alice)
    assert issued
    arrived(alice)
    ApiAccess.objects.filter(user=alice).update(remaining=7)
    with django_assert_max_num_queries(6):
        page = page_of(as_alice)
    assert re.search(r"<b[^>]*>7</b> swaps left", page)
    assert reverse("swaps:acquire") not in page
    assert f"Bearer {issued[0].prefix}..." in code(page, "swap-curl")
    assert issued[1] not in page


def test_the_newest_key_that_works_is_shown(as_alice: Client, alice: User) -> None:
    older, _ = ApiKey.objects.issue(alice)
    newest, _ = ApiKey.objects.issue(alice)
    assert f"Bearer {newest.prefix}..." in page_of(as_alice)
    newest.revoke(timezone.now())
    assert f"Bearer {older.prefix}..." in page_of(as_alice)


def test_a_key_of_somebody_else_is_not_shown(as_alice: Client, charlie: User) -> None:
    key, _ = ApiKey.objects.issue(charlie)
    assert key.prefix not in page_of(as_alice)


@pytest.mark.parametrize("language", ["curl", "python", "javascript", "java", "go", "php"])
def test_samples_carry_this_servers_address(page: str, language: str) -> None:
    for group, path in (
        ("swap", "/face/swap"),
        ("tasks", "/face/tasks"),
        ("request", "/face/swap"),
    ):
        assert f"{settings.SITE_URL}{path}" in code(page, f"{group}-{language}")


# --- the request, as it is typed -------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({}, {}),
        ({"source_sample": "3-face.jpg"}, {"source_image_url": "/samples/3-face.jpg"}),
        ({"source": " https://a.test/x.jpg "}, {"source_image_url": "https://a.test/x.jpg"}),
        (
            {"target": "https://a.test/\"'<", "target_sample": "2-photo.jpg"},
            {"target_image_url": "https://a.test/\"'<"},
        ),
        ({"timeout": "30"}, {"timeout": 30}),
        ({"timeout": "1.5"}, {"timeout": 1.5}),
        ({"timeout": "1e999"}, {}),
        ({"timeout": "soon"}, {}),
        ({"way": "async", "timeout": "30"}, {"async": True}),
        (
            {"way": "callback", "callback_url": "https://a.test/"},
            {"callback_url": "https://a.test/"},
        ),
        ({"way": "callback"}, {"callback_url": "https://example.com/callbacks"}),
        ({"way": "\0", "source_sample": "../x", "language": "cobol"}, {}),
    ],
)
@pytest.mark.parametrize("path", [PAGE, SAMPLES])
def test_the_request_is_what_the_form_says(
    db: None, path: str, query: dict[str, str], body: dict[str, Any]
) -> None:
    shown = fragment(Client(), path, **query)
    wanted = {
        "source_image_url": "/samples/1-face.jpg",
        "target_image_url": "/samples/1-photo.jpg",
        **body,
    }
    wanted |= {
        name: f"{settings.SITE_URL}{value}"
        for name, value in wanted.items()
        if str(value).startswith("/")
    }
    sent = re.search(r'data-body="([^"]*)"', shown)
    assert sent
    assert json.loads(html.unescape(sent[1])) == wanted
    assert (
        json.loads(code(shown, "request-curl").split(" -d '")[1][:-1].replace("'\\''", "'"))
        == wanted
    )


def test_a_member_is_called_back_at_an_inspector_of_their_own(
    as_alice: Client, alice: User
) -> None:
    shown = fragment(as_alice, SAMPLES, way="callback")
    assert inspector.inspector_url(alice).rpartition(":")[0].rpartition(":")[0] in shown
    assert "data-inspected" in shown
    assert "data-inspected" not in fragment(
        as_alice, SAMPLES, way="callback", callback_url="https://a.test/"
    )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"timeout": "-1"}, "timeout: Input should be greater than 0"),
        ({"way": "callback", "callback_url": "http://127.0.0.1/"}, "callback_url: "),
        ({"idempotency_key": "ключ"}, "Idempotency-Key: "),
    ],
)
def test_what_will_be_refused_is_said_before_it_is_sent(
    db: None, query: dict[str, str], message: str
) -> None:
    shown = fragment(Client(), SAMPLES, **query)
    assert "bad_request" in shown
    assert message in text_of(shown)


def test_an_idempotency_key_is_sent_as_a_header(db: None) -> None:
    shown = fragment(Client(), SAMPLES, idempotency_key="order 66")
    assert 'data-idempotency-key="order 66"' in shown
    assert "-H 'idempotency-key: order 66'" in code(shown, "request-curl")


def test_the_form_keeps_what_was_typed(db: None) -> None:
    page = page_of(
        Client(), source="https://a.test/1", way="async", idempotency_key="k", language="go"
    )
    assert 'value="https://a.test/1"' in page
    assert re.search(r'name="way" value="async" checked', page)
    assert re.search(r'name="language" value="go"[^>]* checked', page)
    assert not re.search(r'name="source_sample"[^>]* checked', page)


def test_a_fragment_that_is_opened_as_a_page_leads_to_the_page(as_alice: Client) -> None:
    answer = as_alice.get(SAMPLES, {"way": "async"})
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}?way=async#try")
    assert as_alice.get(CALLBACKS)["Location"] == f"{PAGE}#try"


def test_samples_of_a_member_cost_three_queries(
    as_alice: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        fragment(as_alice, SAMPLES)


# --- uploads -----------------------------------------------------------------------------------


def upload(
    client: Client, data: bytes, *, name: str = "source", htmx: bool = True, **more: str
) -> Any:
    file = SimpleUploadedFile("me.jpg", data, "image/jpeg")
    return client.post(
        UPLOADS, {"name": name, "picture": file, **more}, headers=HTMX if htmx else {}
    )


def url_in(shown: str, name: str) -> str:
    found = re.search(rf'name="{name}" id="url-{name}" value="([^"]*)"', shown)
    assert found
    return html.unescape(found[1])


def test_an_upload_becomes_a_url_that_the_api_takes_without_a_network(
    as_alice: Client, alice: User
) -> None:
    answer = upload(as_alice, picture("tan"))
    url = url_in(answer.content.decode(), "source")
    assert url.startswith(settings.SITE_URL)
    assert "picture" in answer["HX-Trigger-After-Settle"]
    assert not re.search(r"_sample\"[^>]* checked", answer.content.decode())
    taken = read_local_picture(Input(field="source_image_url", url=url), alice.pk)
    assert taken
    assert (taken.width, taken.height) == (40, 30)
    assert Upload.objects.get().owner == alice
    shown = Client().get(url.removeprefix(settings.SITE_URL))
    assert b"".join(shown).startswith(b"\xff\xd8")


def test_without_scripts_an_upload_leads_back_to_the_page_with_what_was_chosen(
    as_alice: Client,
) -> None:
    answer = upload(as_alice, picture(), name="target", htmx=False, query="way=async&target=old")
    assert answer.status_code == 302
    assert answer["Location"].endswith("#try")
    page = page_of(as_alice, answer["Location"].partition("#")[0])
    assert url_in(page, "target").startswith(f"{settings.SITE_URL}/files/")
    assert re.search(r'value="async" checked', page)


def test_a_file_that_is_no_picture_is_refused_in_its_place(as_alice: Client) -> None:
    answer = upload(as_alice, b"no picture")
    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.content.decode()
    assert "HX-Trigger-After-Settle" not in answer
    assert Upload.objects.count() == 0
    plain_answer = as_alice.post(UPLOADS, {"name": "source"}, follow=True)
    assert "Choose a picture first." in plain_answer.content.decode()


def test_an_upload_of_something_else_is_refused(as_alice: Client) -> None:
    assert upload(as_alice, picture(), name="result").status_code == 400
    assert as_alice.get(UPLOADS).status_code == 405


def test_uploads_and_callbacks_are_for_members(db: None) -> None:
    answer = upload(Client(), picture(), htmx=False)
    assert answer["Location"].startswith(reverse("account_login"))
    assert Client().get(CALLBACKS, headers=HTMX)["HX-Redirect"].startswith(reverse("account_login"))
    assert Upload.objects.count() == 0


# --- callbacks ---------------------------------------------------------------------------------


def arrived(owner: User, outcome: Any = None) -> Swap:
    """A real callback of a real swap, at the owner's inspector."""
    key = ApiKey.objects.filter(user=owner).first() or ApiKey.objects.issue(owner)[0]
    call = ApiCall(
        key=key,
        body={},
        body_digest="",
        trace_id="trace",
        callback_url=inspector.inspector_url(owner),
        idempotency_key="",
    )
    swap = request_swap(owner, photo("tan"), photo("navy"), call=call)
    assert swap.claim()
    settle(swap, outcome or finished())
    deliver.attempt_delivery(swap.delivery, timezone.now())
    return swap


def test_a_callback_is_shown_with_its_headers_and_a_right_signature(
    as_alice: Client, alice: User
) -> None:
    swap = arrived(alice)
    shown = fragment(as_alice, CALLBACKS, task=str(swap.pk))
    assert "The signature is right" in shown
    assert "webhook-signature" in shown
    assert str(swap.pk) in text_of(shown)
    assert f'src="{reverse("swaps:result", args=[swap.pk])}"' in shown
    assert "hx-trigger" not in shown  # it is here: nothing is left to ask about


def test_a_callback_of_a_failure_is_shown_too(as_alice: Client, alice: User) -> None:
    arrived(alice, errors.NoFace("source", image="source"))
    shown = fragment(as_alice, CALLBACKS)
    assert "no_face" in shown
    assert "<img" not in shown


def test_a_callback_of_faces_shows_no_picture(as_alice: Client, alice: User) -> None:
    url = inspector.inspector_url(alice)
    detection = Detection.objects.create(owner=alice, request={}, callback_url=url)
    detect.settle(detection, Seen(width=30, height=20, faces=[]))
    deliver.attempt_delivery(detection.delivery, timezone.now())
    shown = fragment(as_alice, CALLBACKS, task=str(detection.pk))
    assert "The signature is right" in shown
    assert '"faces": []' in html.unescape(shown)
    assert "<img" not in shown


def test_the_fragment_asks_again_until_the_callback_is_here(
    as_alice: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    arrived(alice)
    waited_for = Swap.objects.create(owner=alice)
    shown = fragment(as_alice, CALLBACKS, task=str(waited_for.pk))
    again = re.search(r'hx-get="([^"]+)" hx-trigger="every 1s', shown)
    assert again
    with django_assert_num_queries(3):
        answer = as_alice.get(html.unescape(again[1]), headers=HTMX)
    assert (answer.status_code, answer.content) == (204, b"")
    newer = arrived(alice)
    answer = as_alice.get(html.unescape(again[1]), headers=HTMX)
    assert answer.status_code == 200
    assert str(newer.pk) in answer.content.decode()


def test_callbacks_are_shown_to_their_owner_only(as_charlie: Client, alice: User) -> None:
    swap = arrived(alice)
    assert str(swap.pk) not in fragment(as_charlie, CALLBACKS)
    assert str(swap.pk) not in page_of(as_charlie)


@pytest.mark.parametrize("body", [b"\xff", b"[]", b'"x"', b"[" * 30_000, b'{"task_id": {}}', b""])
def test_anything_may_be_posted_to_an_inspector(as_alice: Client, alice: User, body: bytes) -> None:
    token = inspector.token_of_url(inspector.inspector_url(alice))
    assert token
    inspector.receive(token, {"webhook-signature": "v1,x", "webhook-timestamp": "9" * 99}, body)
    shown = fragment(as_alice, CALLBACKS, task="no-uuid")
    assert "The signature is not one of your secret" in shown
    assert "hx-trigger" not in shown


def test_script_in_a_callback_stays_text(as_alice: Client, alice: User) -> None:
    InspectedCallback.objects.create(
        user=alice, headers={"webhook-id": "<i>"}, body='{"a": "</pre><script>alert(1)</script>"}'
    )
    shown = fragment(as_alice, CALLBACKS)
    assert "<script" not in shown
    assert "<i>" not in shown
    assert "There is no signature" in shown


def test_a_signature_of_another_secret_or_of_another_body_is_wrong(alice: User) -> None:
    own = ApiAccess.objects.get_or_grant(alice).callback_secret
    other = ApiAccess._meta.get_field("callback_secret").get_default()
    now, body = timezone.now(), '{"success": true}'
    signed = {"webhook-id": "msg_1", "webhook-timestamp": str(int(now.timestamp()))}

    def by(secret: str) -> dict[str, str]:
        return signed | {"webhook-signature": f"v1,AAAA {Webhook(secret).sign('msg_1', now, body)}"}

    assert verify_signature(by(own), body, [own]) == SignatureVerdict.RIGHT
    assert verify_signature(by(own), body, [other, own]) == SignatureVerdict.RIGHT
    assert verify_signature(by(other), body, [own]) == SignatureVerdict.WRONG
    assert verify_signature(by(own), body + " ", [own]) == SignatureVerdict.WRONG
    assert (
        verify_signature(by(own) | {"webhook-id": "msg_2"}, body, [own]) == SignatureVerdict.WRONG
    )
    assert (
        verify_signature(by(own) | {"webhook-timestamp": "yesterday"}, body, [own])
        == SignatureVerdict.WRONG
    )
    assert verify_signature(signed, body, [own]) == SignatureVerdict.MISSING


def test_the_oldest_callbacks_are_not_shown(as_alice: Client, alice: User) -> None:
    for _ in range(arrivals.MAX_SHOWN + 2):
        InspectedCallback.objects.create(user=alice, headers={}, body="{}")
    assert fragment(as_alice, CALLBACKS).count("<details") == arrivals.MAX_SHOWN


# --- which faces, in the playground ---------------------------------------------------------


def request_of(client: Client, **query: str) -> tuple[dict[str, Any], str]:
    """The body that the playground shows, and its fragment."""
    found = fragment(client, SAMPLES, **query)
    shown = re.search(r'data-body="([^"]*)"', found)
    assert shown
    body: dict[str, Any] = json.loads(html.unescape(shown[1]))
    return body, found


@pytest.mark.django_db
def test_the_playground_chooses_faces(client: Client) -> None:
    body, found = request_of(client, source_face="0.5, 0.25", target_faces="all")
    assert body["source_face"] == {"x": 0.5, "y": 0.25}
    assert body["target_faces"] == "all"
    assert 'class="wrong' not in found
    assert '"source_face": {"x": 0.5, "y": 0.25},' in code(found, "request-python")
    assert "source_face: { x: 0.5, y: 0.25 }," in code(found, "request-javascript")
    assert '"source_face" => ["x" => 0.5, "y" => 0.25],' in code(found, "request-php")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"target_face": "left"}, "target_face: Input should be an object"),
        ({"target_face": "0.5, 1.5"}, "target_face.y: Input should be less than or equal to 1"),
        ({"target_face": "0, 0", "target_faces": "all"}, "target_faces: It contradicts"),
    ],
)
def test_the_playground_says_what_is_wrong_with_a_choice(
    client: Client, query: dict[str, str], problem: str
) -> None:
    assert problem in text_of(request_of(client, **query)[1])


@pytest.mark.django_db
def test_the_playground_finds_faces(client: Client) -> None:
    body, found = request_of(client, call="detect", target_sample="2-photo.jpg", way="async")
    assert body == {"image_url": f"{settings.SITE_URL}/samples/2-photo.jpg", "async": True}
    assert f'data-path="{settings.SITE_PATH}/face/detect"' in found
    assert "/face/detect" in code(found, "request-curl")
    page = page_of(client, call="detect")
    assert re.search(r'name="call" value="detect" checked', page)


def test_every_code_of_advice_and_every_warning_is_explained() -> None:
    advice = SCHEMAS["FoundFace"]["properties"]["advice"]["description"]
    warnings = SCHEMAS["Quality"]["properties"]["warnings"]["description"]
    names = [code.partition(".")[::2] for code in TEXTS]
    # "several" has a text for each place.
    codes = {name.partition("_")[0] for kind, name in names if kind == "advice"}
    assert codes <= set(re.findall(r"`(\w+)`", advice))
    codes = {name for kind, name in names if kind == "warning"}
    assert codes <= set(re.findall(r"`(\w+)`", warnings))
