"""A browser test that fails leaves its pictures and the site's log, wherever it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import on_one_database
from tests.paths import ROOT
from tests.running_site import RunningSite

pytestmark = on_one_database

CONFTEST = """
import os
from pathlib import Path
import pytest
from tests import evidence
from tests.conftest import pytest_runtest_makereport, pytest_runtest_setup
from tests.e2e.conftest import browser, chromium, new_visitor, shared
from tests.running_site import RunningSite

evidence.FOLDER = Path(os.environ["EVIDENCE"])

@pytest.fixture(scope="session")
def site():
    folder = Path(os.environ["SITE_FOLDER"])
    log = folder / "site.log"
    with evidence.keeping_log("site", log):
        yield RunningSite(url=os.environ["SITE_AT"], folder=folder, log=log, environment={})
"""
TESTS = """
import pytest

def say(visitor, line):
    with visitor.site.log.open("a") as log:
        log.write(line + "\\n")

@pytest.fixture
def broken(new_visitor):
    visitor = new_visitor()
    visitor.open("/")
    say(visitor, "said in the setup")
    raise RuntimeError("in the setup")

def test_passes(new_visitor):
    visitor = new_visitor()
    visitor.open("/")
    say(visitor, "said by one that passes")

def test_in_the_test(new_visitor):
    for path in ("/", "/accounts/login/"):
        visitor = new_visitor()
        visitor.open(path)
    visitor.context.new_page()
    say(visitor, "said in the test")
    assert False

def test_in_the_setup(broken):
    pass

def test_in_the_teardown(new_visitor):
    visitor = new_visitor()
    page = visitor.open("/")
    with page.expect_console_message():
        page.evaluate("console.error('wrong')")

def test_closed(new_visitor):
    new_visitor().open("/").close()
    assert False

def test_crashed(new_visitor):
    visitor = new_visitor()
    visitor.open("/").goto("chrome://crash")

def test_gone(new_visitor, browser):
    new_visitor().open("/")
    browser.close()
    assert False
"""


@pytest.mark.usefixtures("chromium")
def test_every_failure_leaves_its_pictures_and_the_log(site: RunningSite, tmp_path: Path) -> None:
    left = tmp_path / "left"
    (tmp_path / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (tmp_path / "test_failing.py").write_text(TESTS, encoding="utf-8")
    (tmp_path / "site.log").write_text("said before\n", encoding="utf-8")

    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=ROOT,
        env=os.environ
        | {
            "EVIDENCE": str(left),
            "SITE_FOLDER": str(tmp_path),
            "SITE_AT": site.url,
            "TEST_ON": "",
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    files = {path.name: {file.name for file in path.iterdir()} for path in left.iterdir()}
    one = {"site.log", "visitor-0-page-0.png"}
    assert files == {
        "failing-in-the-test": one | {"visitor-1-page-0.png", "visitor-1-page-1.png"},
        "failing-in-the-setup": one,
        "failing-in-the-teardown": one,
        "failing-closed": {"site.log", "visitor-0.txt"},
        "failing-crashed": {"site.log", "visitor-0-page-0.txt"},
        "failing-gone": {"site.log", "visitor-0.txt"},
    }, run.stdout[-6000:]
    for name in files:
        assert f"{left / name}/" in run.stdout
    for name in ("test", "setup"):
        message = left / f"failing-in-the-{name}" / "site.log"
        assert message.read_text(encoding="utf-8") == f"said in the {name}\n"
    picture = left / "failing-in-the-test" / "visitor-0-page-0.png"
    assert picture.read_bytes().startswith(b"\x89PNG")
