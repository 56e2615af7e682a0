"""``make test``: all tests on SQLite and on PostgreSQL, the second whatever came of the first.

``python -m tools.both_databases`` hands its arguments on to pytest, and says at the end what came
of each.
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
    for database, (_, words) in outcomes.items():
        print(f"{database + ':':<12}{words}")
    return max(code for code, _ in outcomes.values())


def run_on_postgresql(arguments: list[str]) -> tuple[int, str]:
    found, missing = PARTS["postgresql"]()
    if found:
        return run("PostgreSQL", {"TEST_ON": "postgresql"}, arguments)
    if is_required("postgresql"):
        return FAILED, f"FAILED, REQUIRE_ALL=1 but there is no {missing}"
    return PASSED, f"skipped, there is no {missing}"


def run(database: str, environment: dict[str, str], arguments: list[str]) -> tuple[int, str]:
    """The exit status, and the outcome in words."""
    print(f"--- tests on {database}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-n", "2", f"--junit-xml={report}", *arguments]
        code = subprocess.run(command, env=os.environ | environment, check=False).returncode
        counts = count(report)
    return (PASSED, f"passed, {counts}") if code == PASSED else (FAILED, words(code, counts))


def words(code: int, counts: str) -> str:
    reason = {NO_TESTS: "no test was selected"}.get(code, f"exit status {code}")
    return f"FAILED, {counts} ({reason})"


def count(report: Path) -> str:
    """What pytest has counted, if it came that far."""
    if not report.exists():
        return "nothing counted"
    [suite] = ET.parse(report).getroot()  # noqa: S314 - pytest wrote it
    counted = {name: int(suite.attrib[name]) for name in ("failures", "errors", "skipped", "tests")}
    wrong = counted["failures"] + counted["errors"]
    said = f"{counted['tests']} tests: {wrong} failed, {counted['skipped']} skipped"
    return f"{said}, in {float(suite.attrib['time']):.0f} s"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
