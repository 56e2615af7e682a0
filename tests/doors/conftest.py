"""Fixtures: a public site behind a proxy on the same machine, and the documented nginx."""

import contextlib
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests.doors.wire import HOST, Door
from tests.parts import require
from tests.paths import ROOT
from tests.running import free_port, wait_until
from tests.running_site import RunningSite, running_site

MAX_UPLOAD_MB = 1


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    environment = {
        "SITE_URL": f"https://{HOST}",
        "BEHIND_PROXY": "1",
        "FACESWAP_MAX_UPLOAD_MB": str(MAX_UPLOAD_MB),
        "FACESWAP_API_WAITING_CALLS": "4",  # few threads are soon taken
    }
    folder = tmp_path_factory.mktemp("doors")
    with running_site(folder, environment=environment, is_sent_nonsense=True) as site:
        yield site


@pytest.fixture
def gunicorn(site: RunningSite) -> Door:
    """Run the site itself, without a proxy."""
    return Door(port=int(site.url.rpartition(":")[2]))


@pytest.fixture(scope="package")
def nginx(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Run nginx as docs/operations.md says, with ports, certificate and folder replaced."""
    program, openssl = require("nginx"), require("openssl")
    folder = tmp_path_factory.mktemp("nginx")
    certificate = (
        *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-nodes", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"),
        *("-days", "2", "-subj", f"/CN={HOST}"),
    )
    subprocess.run(certificate, check=True, capture_output=True)
    port = free_port()
    block = documented_block()
    for shown, here in {
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "# ssl_certificate …": f"ssl_certificate {folder}/cert.pem;"
        f" ssl_certificate_key {folder}/key.pem; proxy_request_buffering off;"
        " proxy_http_version 1.1;",
        "http://127.0.0.1:8000": site.url,
        "/var/log/nginx": str(folder),
    }.items():
        assert shown in block
        block = block.replace(shown, here)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log;\n"
        f"events {{ }}\nhttp {{ {temporary}\n{block}\n}}\n"
    )
    errors_file = folder / "stderr"
    with errors_file.open("wb") as stderr:
        process = subprocess.Popen([program, "-c", configuration, "-p", folder], stderr=stderr)
    door = Door(port=port, is_tls=True, folder=folder)
    try:
        assert wait_until(door.is_open), errors_file.read_text()
        yield door
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        process.wait(10)


def documented_block() -> str:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    block = re.search(r"```nginx\n(.*?)```", text, re.DOTALL)
    assert block
    return block[1]
