"""Runs all tests on SQLite and then on PostgreSQL, whatever came of the first: ``make test``.

``python -m tools.both_databases`` passes its arguments on to pytest, and prints both results at the
end.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.parts import PARTS, is_required

PASSED, FAILED = 0, 1
NO_TESTS = 5  # pytest's exit status where nothing was selected


def main(arguments: list[str]) -> int:
    outcomes = {
        "SQLite": run("SQLite", {"TEST_ON": ""}, arguments),
        "PostgreSQL": run_on_postgresql(arguments),
    }
    print()
    for database, (_, summary) in outcomes.items():
        print(f"{database + ':':<12}{summary}")
    return max(code for code, _ in outcomes.values())


def run_on_postgresql(arguments: list[str]) -> tuple[int, str]:
    found, missing = PARTS["postgresql"]()
    if found:
        return run("PostgreSQL", {"TEST_ON": "postgresql"}, arguments)
    if is_required("postgresql"):
        return FAILED, f"FAILED, REQUIRE_ALL=1 but there is no {missing}"
    return PASSED, f"skipped, there is no {missing}"


def run(database: str, environment: dict[str, str], arguments: list[str]) -> tuple[int, str]:
    """Run the tests; return the exit status and a summary."""
    print(f"--- tests on {database}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-n",
            "auto",
            f"--junit-xml={report}",
            *arguments,
        ]
        code = subprocess.run(command, env=os.environ | environment, check=False).returncode
        counts = read_counts(report)
    return (
        (PASSED, f"passed, {counts}")
        if code == PASSED
        else (FAILED, describe_failure(code, counts))
    )


def describe_failure(code: int, counts: str) -> str:
    reason = {NO_TESTS: "no test was selected"}.get(code, f"exit status {code}")
    return f"FAILED, {counts} ({reason})"


def read_counts(report: Path) -> str:
    """Return the counts in pytest's report, if it was written."""
    if not report.exists():
        return "nothing counted"
    [suite] = ET.parse(report).getroot()  # noqa: S314 - pytest wrote it
    counted = {name: int(suite.attrib[name]) for name in ("failures", "errors", "skipped", "tests")}
    wrong = counted["failures"] + counted["errors"]
    summary = f"{counted['tests']} tests: {wrong} failed, {counted['skipped']} skipped"
    return f"{summary}, in {float(suite.attrib['time']):.0f} s"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
