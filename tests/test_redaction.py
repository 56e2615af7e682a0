"""What a signed URL lets its bearer do stays out of all logs."""

import logging
import sys
import time
from collections.abc import Callable

import pytest

from swaps.redaction import HideInvalidRequests, HideSecrets, hide_secrets, loggable_path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/swaps/", "/swaps/"),
        ("/files/WyJzd2Fwcy8:1v:x-Y_z/", "/files/***"),
        ("/callbacks/secret", "/callbacks/***"),
        ("/s/secret/picture/", "/s/***"),
        ("/accounts/password/reset/key/1-abc/", "/accounts/password/reset/key/***"),
        ("/files/a\nb", "/files/***"),
        ("/swaps/\nforged line", "/swaps/%0Aforged%20line"),
        ("/swaps/\xc3\xa9/", "/swaps/%C3%A9/"),
    ],
)
def test_the_access_log_shows_neither_secrets_nor_control_characters(path: str, shown: str) -> None:
    assert loggable_path(path) == shown


@pytest.mark.parametrize(
    ("message", "args", "shown"),
    [
        ("%s: %s", ("Not Found", "/files/WyJz:1v/"), "Not Found: /files/***"),
        ("see http://a.example/files/WyJz:1v/ there", (), "see http://a.example/files/***"),
        ("Not Found: %s", ("/callbacks/ TOKEN",), "Not Found: /callbacks/***"),
        ("at /files/a:1v/\nthe next line", (), "at /files/***\nthe next line"),
        ("%d%% of %s", (5, "/swaps/"), "5% of /swaps/"),
    ],
)
def test_other_logs_show_no_secrets(message: str, args: tuple[object, ...], shown: str) -> None:
    record = logging.LogRecord("django.request", logging.ERROR, "", 1, message, args, None)

    assert HideSecrets().filter(record)

    assert record.getMessage() == shown


def test_the_trace_of_an_exception_shows_no_secrets() -> None:
    try:
        raise ValueError("http://a.example/callbacks/WyJz:1v:x-Y_z/")
    except ValueError:
        caught = sys.exc_info()
    record = logging.LogRecord("swaps", logging.ERROR, "", 1, "it broke", (), caught)

    assert HideSecrets().filter(record)

    output = logging.Formatter().format(record)
    assert "ValueError: http://a.example/callbacks/***" in output
    assert "WyJz" not in output


ODD_PATHS = [
    "/callbacks/ TOKEN",
    "/callbacks /TOKEN",
    "/callbacks/%20TOKEN",
    "/callbacks/inspect/TOKEN",
    "//files//TOKEN",
    "/files/./TOKEN",
    "/files/../files/TOKEN",
    "/Files/TOKEN",
    "/files%2fTOKEN",
    "%2Ffiles%2FTOKEN",
    "/%66iles/TOKEN",
    "/%2566iles%252fTOKEN",
    "/files\\TOKEN",
    "/files/\nTOKEN",
    "/files/\\nTOKEN",
    "/files/\tTOKEN",
    '/files/"TOKEN',
    "/files/'a' TOKEN",
    "/files/a/TOKEN?x TOKEN",
    "/faces/files/TOKEN",
    "/files;/TOKEN",
    "/files%3B/TOKEN",
    "/files%c2%a0/TOKEN",
    "/files%25E2%2580%258B/TOKEN",
    "/files\u200b/TOKEN",
    "/files%/TOKEN",
    "/files%25/TOKEN",
    "/files+/TOKEN",
    "/;files/TOKEN",
    "/accounts//confirm-email/TOKEN",
    "/accounts/password/./reset/key/TOKEN",
    "/accounts/password/\\nreset/key/TOKEN",
    "/ACCOUNTS/password%2Freset/key/TOKEN",
    "/s/TOKEN",
    "/%73%2FTOKEN",
]


@pytest.mark.parametrize("path", ODD_PATHS)
@pytest.mark.parametrize("hide", [hide_secrets, loggable_path])
def test_no_spelling_of_a_path_shows_its_secret(hide: Callable[[str], str], path: str) -> None:
    assert "TOKEN" not in hide(f"Not Found: {path} TOKEN")


def test_a_trace_still_says_where_django_handles_files() -> None:
    line = '  File "/srv/.venv/django/core/files/storage.py", line 3, in save'
    assert hide_secrets(line) == line


@pytest.mark.parametrize(
    "path",
    ["/", "/. ", "%25", "/%2e", "/accounts/", "/accounts/password", "/\\n", " /files", "/;", "%"],
)
def test_no_path_takes_long_to_read(path: str) -> None:
    begun = time.process_time()
    hide_secrets(path * 20_000)
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (
            "Invalid request from ip=::1: Invalid HTTP Version: 'TOKEN HTTP/1.1'",
            "Invalid request from ip=::1: Invalid HTTP Version",
        ),
        ("Worker exiting (pid: 5)", "Worker exiting (pid: 5)"),
    ],
)
def test_of_a_request_that_is_none_only_the_kind_of_fault_is_logged(
    message: str, shown: str
) -> None:
    record = logging.LogRecord("gunicorn.error", logging.WARNING, "", 1, message, (), None)
    assert HideInvalidRequests().filter(record)
    assert record.getMessage() == shown
