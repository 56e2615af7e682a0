"""The published description: valid, complete, and true of what is answered."""

import pytest
from django.conf import settings
from django.test import Client
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from swaps import errors
from swaps.api.description import openapi

DOCUMENT = openapi.document(settings.SITE_URL)


def test_it_is_a_valid_openapi_document() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1.")


def test_anybody_may_get_it(client: Client) -> None:
    answer = client.get("/face/openapi.json")
    assert answer.json() == DOCUMENT
    assert answer["x-trace-id"]


def test_every_error_that_a_call_may_end_with_is_described() -> None:
    described = {
        code
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        for code in openapi.error_codes(operation)
    }
    not_of_a_call = set(openapi.error_codes(DOCUMENT["components"]))
    assert not_of_a_call == {errors.ApiNotImplemented.code, errors.NoApi.code}
    assert described | not_of_a_call == set(errors.SwapError.by_code)
    assert not described & not_of_a_call


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "response"),
    [*((name, "NotOffered") for name in openapi.NOT_OFFERED), ("enhance", "NoSuchCall")],
)
def test_what_is_no_call_is_described_as_it_is_answered(
    name: str, response: str, client: Client
) -> None:
    answer = client.post(f"/face/{name}")
    payload = DOCUMENT["components"]["responses"][response]
    assert payload["x-error-codes"] == [answer.json()["error"]["code"]]
    assert payload["description"].startswith(answer.reason_phrase)


def test_the_fields_of_the_contract_are_there() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    call = schemas["SwapCall"]
    assert set(call["properties"]) == {
        "source_image_url",
        "target_image_url",
        "source_face",
        "target_face",
        "target_faces",
        "pairs",
        "timeout",
        "callback_url",
        "async",
    }
    assert call["required"] == ["source_image_url", "target_image_url"]
    assert set(schemas["Swapped"]["required"]) == {
        "success",
        "task_id",
        "trace_id",
        "image_url",
        "image_width",
        "image_height",
        "image_size",
    }


@pytest.mark.parametrize("name", sorted(DOCUMENT["components"]["schemas"]))
def test_every_field_is_explained_or_has_one_value(name: str) -> None:
    for field, schema in DOCUMENT["components"]["schemas"][name].get("properties", {}).items():
        assert schema.get("description") or "const" in schema, field


def test_every_example_is_what_its_schema_says() -> None:
    for operation in (path["post"] for path in DOCUMENT["paths"].values()):
        for answer in operation["responses"].values():
            content = answer["content"]["application/json"]
            assert content["examples"]
            for example in content["examples"].values():
                schema = {**content["schema"], "components": DOCUMENT["components"]}
                Draft202012Validator(schema).validate(example["value"])


def test_the_length_of_urls_is_described() -> None:
    fields = DOCUMENT["components"]["schemas"]["SwapCall"]["properties"]
    assert fields["callback_url"]["anyOf"][0]["maxLength"] == 4000
    assert "4,000" in fields["source_image_url"]["description"]  # of a data: URL there is no limit
