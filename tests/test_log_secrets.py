"""What a signed URL lets its bearer do stays out of all logs."""

import logging
import sys

import pytest

from swaps.log_secrets import HideSecrets, shown_path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/swaps/", "/swaps/"),
        ("/files/WyJzd2Fwcy8:1v:x-Y_z/", "/files/***"),
        ("/callbacks/secret", "/callbacks/***"),
        ("/accounts/password/reset/key/1-abc/", "/accounts/password/reset/key/***"),
        ("/files/a\nb", "/files/***"),
        ("/swaps/\nforged line", "/swaps/%0Aforged%20line"),
        ("/swaps/\xc3\xa9/", "/swaps/%C3%A9/"),
    ],
)
def test_the_access_log_shows_neither_secrets_nor_control_characters(path: str, shown: str) -> None:
    assert shown_path(path) == shown


@pytest.mark.parametrize(
    ("message", "args", "shown"),
    [
        ("%s: %s", ("Not Found", "/files/WyJz:1v/"), "Not Found: /files/***"),
        ("see http://a.example/files/WyJz:1v/ there", (), "see http://a.example/files/*** there"),
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

    said = logging.Formatter().format(record)
    assert "ValueError: http://a.example/callbacks/***" in said
    assert "WyJz" not in said
