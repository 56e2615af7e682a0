"""The running API holds to its own description, whatever is sent."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT
from tests.running_site import RunningSite, running_site

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "15")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACESWAP_API_CALLS_PER_MINUTE", "1000000")
        patch.setenv("FACESWAP_FETCH_ALLOW", "127.0.0.1")  # for callbacks to the site itself
        with running_site(tmp_path_factory.mktemp("schemathesis")) as site:
            yield site


def test_schemathesis_finds_nothing_with_all_checks_on(site: RunningSite, tmp_path: Path) -> None:
    key = site.manage("create_api_key", "ann@example.org", "--create", "--quota", "100000").strip()

    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "--config-file"),
            *(HERE / "schemathesis.toml", "run", f"{site.url}/face/openapi.json"),
            *("--header", f"Authorization: Bearer {key}", "--checks", "all"),
            *("--max-examples", EXAMPLES, "--no-color"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SCHEMATHESIS_HOOKS": "tests.conformance.schemathesis_hooks",
            "SCHEMATHESIS_SITE": site.url,
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) generated, (\d+) passed", done.stdout)
    assert passed, done.stdout
    assert int(passed[1]) == int(passed[2]) > 100
    print(done.stdout)  # noqa: T201  the figures, for those who ask with -s
