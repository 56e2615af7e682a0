"""``make test`` runs both databases whatever comes of the first, and says what came of each."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import PARTS
from tests.paths import ROOT

NOWHERE = "postgres://postgres@127.0.0.1:1/test"
# Passes on the database that PASSES_ON names.
TEST = """
import os
def test_it() -> None:
    assert os.environ["TEST_ON"] == os.environ["PASSES_ON"]
"""


def run(tmp_path: Path, **environment: str) -> tuple[int, list[str]]:
    """The exit status and the last two lines."""
    file = tmp_path / "test_it.py"
    file.write_text(TEST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tools.both_databases", "-n0", "-q", "-p", "no:cacheprovider", file],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()[-2:]


def test_the_second_is_run_although_the_first_has_failed(tmp_path: Path) -> None:
    if not PARTS["postgresql"]()[0]:
        pytest.skip("SKIPPED: PostgreSQL")
    code, [sqlite, postgresql] = run(tmp_path, PASSES_ON="postgresql")

    assert code == 1
    assert re.fullmatch(
        r"SQLite: +FAILED, 1 tests: 1 failed, 0 skipped, in \d+ s \(exit status 1\)", sqlite
    )
    assert re.fullmatch(r"PostgreSQL: +passed, 1 tests: 0 failed, 0 skipped, in \d+ s", postgresql)


@pytest.mark.parametrize(
    ("required", "code", "outcome"),
    [("0", 0, "skipped, there is no PostgreSQL"), ("1", 1, "FAILED, REQUIRE_ALL=1 but there is")],
)
def test_a_database_that_is_not_there_is_named(
    tmp_path: Path, required: str, code: int, outcome: str
) -> None:
    ended, [sqlite, postgresql] = run(
        tmp_path, PASSES_ON="", TEST_DATABASE_URL=NOWHERE, REQUIRE_ALL=required, MAY_LACK=""
    )

    assert ended == code
    assert "passed, 1 tests" in sqlite
    assert outcome in postgresql
    assert "127.0.0.1:1" in postgresql


def test_make_test_is_this() -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\ntest: ")[2]
    assert "-m tools.both_databases $(ARGS)" in recipe.partition("\n\n")[0]
