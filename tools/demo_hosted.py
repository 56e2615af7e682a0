"""The whole circle on one machine: a site, and a second one that is its hosted provider.

    browser ──> site :8000 ──call──> provider :8001 (its own engine, database, files)
                 │   ^ <──callback─────┘ │
                 v   └──fetch the result─┤
                S3 <────fetch the photos─┘

Pictures are on S3 where one can be had, on disk behind signed URLs otherwise. All state is in one
folder; a second start goes on with it.
"""

import argparse
import contextlib
import errno
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from faceswap_site import env
from swaps.runtime import supervisor
from swaps.runtime.supervisor import Program, WriteLine
from tools.demo_s3 import ROOT, Environment, Trouble, pictures, place_of, tell

HOST = "127.0.0.1"
DEMO_ACCOUNT = "demo@example.com"
CUSTOMER, QUOTA = "provider@example.com", "1000"
# Whatever a developer's .env says, these two are sites of their own.
OWN = {
    "ALLOWED_HOSTS": "",
    "BEHIND_PROXY": "",
    "DATABASE_URL": "",
    "DATABASE_URL_FILE": "",
    "DEBUG": "",
    "DJANGO_SETTINGS_MODULE": "faceswap_site.settings",
    "EMAIL_HOST": "",
    **dict.fromkeys(("FACESWAP_API_KEY", "FACESWAP_API_KEY_FILE", "FACESWAP_API_URL"), ""),
    "FACESWAP_API_PROVIDER": "embedded",
    "FACESWAP_HOSTED_EXCHANGE": "",
    "FACESWAP_HOSTED_KEY": "",
    "FACESWAP_HOSTED_KEY_FILE": "",
    "SECRET_KEY": "",
    "SECRET_KEY_FILE": "",
}
KEY_WORKS = """
import sys
from django.utils import timezone
from swaps.models import ApiAccess, ApiKey
key = ApiKey.objects.usable(timezone.now()).find(sys.stdin.read().strip())
sys.exit(not (key and key.user.is_active and ApiAccess.objects.get_or_grant(key.user).remaining))
"""


@dataclass(frozen=True, kw_only=True)
class Instance:
    """One of the two sites."""

    name: str
    port: int
    environment: Mapping[str, str]

    def manage(self, *arguments: str, said: str = "") -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | self.environment,
            input=said,
            capture_output=True,
            text=True,
            check=False,
        )

    def must(self, *arguments: str) -> str:
        done = self.manage(*arguments)
        if done.returncode:
            raise Trouble(f"{self.name}: manage.py {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout.strip()

    def program(self) -> Program:
        command = (sys.executable, "manage.py", "up", "--bind", HOST, "--port", str(self.port))
        return Program(name=self.name, command=command, environment=self.environment)


def main() -> int:
    options = read_options(read_dotenv())
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)  # S3 is stopped then, too
    try:
        with only_one(options.folder):
            for name, port in (("site", options.port), ("provider", options.port + 1)):
                check_port_is_free(name, port)
            with pictures(options.folder, options.port, is_s3_wanted=not options.on_disk) as s3:
                return run(options.folder, options.port, s3)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def read_dotenv() -> Path:
    """What stands in ``.env`` counts too, but for its bucket. Returns where state is kept."""
    has_bucket = bool(env.text("AWS_STORAGE_BUCKET_NAME"))
    env.load_dotenv(ROOT / ".env")
    if not has_bucket:
        os.environ["AWS_STORAGE_BUCKET_NAME"] = ""  # that of .env is not for playing
    var = env.folder("FACESWAP_VAR", ROOT / "var")
    os.environ["FACESWAP_MODELS_DIR"] = str(env.folder("FACESWAP_MODELS_DIR", var / "models"))
    return var


def read_options(var: Path) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tools.demo_hosted", description="A site, and a second one as its hosted provider."
    )
    parser.add_argument("--port", type=int, default=8000, help="the provider takes the next one")
    parser.add_argument("--folder", type=Path, help="where all is kept (var/demo-hosted)")
    parser.add_argument("--on-disk", action="store_true", help="no S3, also where it can be had")
    options = parser.parse_args()
    options.folder = (options.folder or var / "demo-hosted").resolve()
    return options


@contextlib.contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Two in one folder would write over each other's state."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble(f"It runs already, with its state in {folder}.") from None
        yield


def check_port_is_free(name: str, port: int) -> None:
    try:
        with socket.create_server((HOST, port)):
            return
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise Trouble(
                f"Port {port}, for the {name}, is taken. Stop what listens there, or choose two "
                "others, one after the other: make demo-hosted PORT=8100"
            ) from None
        raise Trouble(f"Cannot listen on {HOST}:{port}: {error}.") from None


def run(folder: Path, port: int, s3: Environment) -> int:
    provider, site = provider_of(folder, port, s3), site_of(folder, port, s3)
    tell(f"Setting up two sites in {folder}")
    provider.must("prepare")
    acquire_key(provider, folder / "provider-key")
    site.must("prepare")
    password = (folder / "site" / "demo-password").read_text(encoding="utf-8").strip()
    welcome = f"Ready on http://{HOST}:{port} for {DEMO_ACCOUNT} with the password {password}"
    names = [provider.name, site.name]
    return supervisor.supervise(
        [provider.program(), site.program()],
        cwd=ROOT,
        environment=os.environ,
        write_line=greeting(supervisor.line_writer(["up", *names]), names, welcome),
    )


def provider_of(folder: Path, port: int, s3: Environment) -> Instance:
    """Has its own engine and keeps its pictures on disk. It may ask the bucket and the site."""
    allowed = [f"{HOST}:{port}", *place_of(s3)]
    return Instance(
        name="provider",
        port=port + 1,
        environment=OWN
        | {
            "AWS_STORAGE_BUCKET_NAME": "",
            "FACESWAP_FETCH_ALLOW": ", ".join(allowed),
            "FACESWAP_PROVIDER": "embedded",
            "FACESWAP_VAR": str(folder / "provider"),
            "SITE_URL": f"http://{HOST}:{port + 1}",
        },
    )


def site_of(folder: Path, port: int, s3: Environment) -> Instance:
    provider = f"{HOST}:{port + 1}"
    return Instance(
        name="site",
        port=port,
        environment=OWN
        | s3
        | {
            "FACESWAP_HOSTED_KEY_FILE": str(folder / "provider-key"),
            "FACESWAP_HOSTED_PAUSE_SECONDS": env.text("FACESWAP_HOSTED_PAUSE_SECONDS", "5"),
            "FACESWAP_HOSTED_RESULT_HOSTS": provider,
            "FACESWAP_HOSTED_URL": f"http://{provider}",
            "FACESWAP_PROVIDER": "hosted",
            "FACESWAP_VAR": str(folder / "site"),
            "SITE_URL": f"http://{HOST}:{port}",
        },
    )


def acquire_key(provider: Instance, file: Path) -> None:
    """As a customer of the provider would; the key of an earlier start serves as long as it can."""
    if file.exists():
        kept = file.read_text(encoding="utf-8")
        if provider.manage("shell", "--verbosity", "0", "-c", KEY_WORKS, said=kept).returncode == 0:
            return
    key = provider.must("create_api_key", CUSTOMER, "--create", "--quota", QUOTA)
    file.touch(mode=0o600)
    file.write_text(key + "\n", encoding="utf-8")


def greeting(say: WriteLine, names: list[str], welcome: str) -> WriteLine:
    """``say``, which says welcome too as soon as each of these has said that it is ready."""
    missing = set(names)
    lock = threading.Lock()  # each of them speaks in a thread of its own

    def listen(name: str, line: str) -> None:
        say(name, line)
        if "| Ready on " not in line:
            return
        with lock:
            is_last = missing == {name}
            missing.discard(name)
        if is_last:
            say("up", welcome)

    return listen


if __name__ == "__main__":
    sys.exit(main())
