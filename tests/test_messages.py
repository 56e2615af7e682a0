"""Words are made when they are shown: each code in use has a text, and gets what that needs."""

import ast
import json
import string
from collections.abc import Iterator

import pytest

from swaps import errors, messages
from swaps.images import ImageRefused
from swaps.images.types import ImageRefused as Refused
from swaps.messages import TEXTS, ExplainedError, text
from tests.test_architecture import MODULES, tree_of

# What no parameter of a text is, though the errors take it.
NO_PARAMS = {"image", "retry_after", "is_busy"}
# Codes that rows of earlier versions hold.
EARLIER = ("bad_request.not_fetched", "invalid_image.fetched")
# Codes that are put together where they are used, by their beginnings.
BUILT = (
    *EARLIER,
    "advice.",
    "warning.",
    "no_face.",
    "invalid_image.provider_",
    "too_many_requests.",
)


def fields_of(code: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(TEXTS[code]) if field}


def codes_by_class() -> dict[str, str]:
    classes: list[type[errors.SwapError]] = [*errors.SwapError.by_code.values()]
    classes.append(errors.Overloaded)
    return {f"errors.{cls.__name__}": cls.code for cls in classes}


def uses() -> Iterator[tuple[str, str, set[str]]]:
    """Where a code is used, the code, and the parameters that it gets there."""
    of_class = codes_by_class()
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.Dict):
                keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
                values = dict(zip(keys, node.values, strict=False))
                code = values.pop("code", None)
                if isinstance(code, ast.Constant) and "." in str(code.value):
                    yield f"{module}:{node.lineno}", str(code.value), set(map(str, values))
            if not (isinstance(node, ast.Call) and node.args):
                continue
            first = node.args[0]
            if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
                continue
            function = ast.unparse(node.func)
            name = function.rpartition(".")[2]
            given = {str(each.arg) for each in node.keywords} - NO_PARAMS
            if function in of_class and first.value != "row":
                yield f"{module}:{node.lineno}", f"{of_class[function]}.{first.value}", given
            elif name in {cls.__name__ for cls in explained()}:
                yield f"{module}:{node.lineno}", first.value, given | also_given(name)


def explained() -> set[type[ExplainedError]]:
    """All errors that are made with a whole code."""
    found, waiting = set(), [ExplainedError]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        found.add(cls)
    return {cls for cls in found if not issubclass(cls, errors.SwapError)}


def also_given(name: str) -> set[str]:
    return {"status"} if name == "BadResponse" else set()


USES = list(uses())


def test_the_uses_are_found() -> None:
    assert len(USES) > 80
    assert {"url.not_public", "too_many_pixels.area", "bad_request.unreachable"} <= {
        code for _, code, _ in USES
    }


def test_each_code_that_is_used_has_a_text_and_gets_what_that_needs() -> None:
    wrong = [
        (place, code)
        for place, code, given in USES
        if code not in TEXTS or not fields_of(code) <= given
    ]
    assert wrong == []


def test_no_text_is_left_over() -> None:
    used = {code for _, code, _ in USES}
    named = {
        node.value
        for module in MODULES
        if module != "swaps.messages"
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert [code for code in TEXTS if code not in used | named and not code.startswith(BUILT)] == []


def test_an_error_survives_the_way_through_a_row() -> None:
    error = errors.InvalidImage(
        "unusable",
        field="source_image_url",
        reason=ImageRefused("too_many_bytes.file", size=50, limit=20.5).explanation,
    )
    kept = json.loads(json.dumps(error.explanation))
    assert errors.SwapError.from_row("invalid_image", kept).message == error.message
    assert error.message == (
        "source_image_url is not a picture that can be used. It is 50 MB; 20.5 MB is the most. "
        "Save it smaller and try again."
    )


def test_what_only_a_newer_version_knows_says_that_something_broke() -> None:
    other_kind = {"code": "host.late", "seconds": None}
    for unknown in ({"code": "of.tomorrow"}, {"code": "host.status"}, other_kind, {}):
        assert text(unknown) == TEXTS["api_error.broke"]


def test_what_a_stranger_sends_is_no_template() -> None:
    message = text({"code": "row.text", "text": "{code.__class__} {0}"})
    assert message == "{code.__class__} {0}"


@pytest.mark.parametrize(
    ("size", "written"), [(0.1, "0.1"), (50.0, "50"), (1234.5, "1,234.5"), (99_999.9, "99,999.9")]
)
def test_numbers_are_written_as_people_write_them(size: float, written: str) -> None:
    refusal = Refused("too_many_bytes.file", size=size, limit=1)
    assert f"It is {written} MB" in refusal.message
    assert refusal.code == "too_many_bytes"


def test_a_code_has_a_kind_and_a_detail() -> None:
    assert all(code.count(".") == 1 for code in messages.TEXTS)
