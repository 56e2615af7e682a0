"""A Python shell of the site that stays open and runs one program after the other."""

import json
import subprocess
import sys
from collections.abc import Mapping

from tests.paths import ROOT

LOOP = """
import contextlib, io, json, sys, traceback
import django
django.setup()
from django.db import connections
for line in sys.stdin:
    output, error = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(output):
            exec(json.loads(line), {"__name__": "__main__"})
    except Exception:
        error = traceback.format_exc()
    connections.close_all()
    print(json.dumps([output.getvalue(), error]), flush=True)
"""


class Shell:
    """Like ``manage.py shell -c`` each time, but Django is imported once."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LOOP],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, program: str) -> str:
        """Return what the program prints; fails with its trace when it raises."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(program) + "\n")
        self._process.stdin.flush()
        output: str
        output, error = json.loads(self._process.stdout.readline())
        assert not error, f"{program}:\n{error}"
        return output

    def close(self) -> None:
        self._process.communicate(timeout=60)
