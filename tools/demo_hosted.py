"""A demo on one machine: a site, and a second one as its hosted provider.

    browser ──> site :8000 ──call──> provider :8001 (its own engine, database, files)
                 │   ^ <──callback─────┘ │
                 v   └──fetch the result─┤
                S3 <────fetch the photos─┘

Pictures are kept on S3 if it is available, otherwise on disk behind signed URLs. All state is in
one folder; a second start continues with it.
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
from tools.demo_s3 import ROOT, Environment, SetupError, picture_storage, print_now, s3_hosts

HOST = "127.0.0.1"
DEMO_ACCOUNT = "demo@example.com"
CUSTOMER, QUOTA = "provider@example.com", "1000"
# Cleared for both sites, whatever a developer's .env says.
ISOLATED = {
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
KEY_CHECK = """
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

    def manage(self, *arguments: str, stdin: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a management command of this site."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=os.environ | self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def manage_or_raise(self, *arguments: str) -> str:
        """Run a management command and return its output; raises SetupError when it fails."""
        done = self.manage(*arguments)
        if done.returncode:
            raise SetupError(f"{self.name}: manage.py {' '.join(arguments)} failed:\n{done.stderr}")
        return done.stdout.strip()

    def program(self) -> Program:
        """Return the program that runs this site under the supervisor."""
        command = (sys.executable, "manage.py", "up", "--bind", HOST, "--port", str(self.port))
        return Program(name=self.name, command=command, environment=self.environment)


def main() -> int:
    options = read_options(read_dotenv())
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, signal.default_int_handler)  # so that the S3 server is stopped, too
    try:
        with locked_folder(options.folder):
            for name, port in (("site", options.port), ("provider", options.port + 1)):
                check_port_is_free(name, port)
            with picture_storage(
                options.folder, options.port, is_s3_wanted=not options.on_disk
            ) as s3:
                return run(options.folder, options.port, s3)
    except SetupError as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def read_dotenv() -> Path:
    """Load ``.env``, except for its bucket, and return the folder where state is kept."""
    has_bucket = bool(env.text("AWS_STORAGE_BUCKET_NAME"))
    env.load_dotenv(ROOT / ".env")
    if not has_bucket:
        os.environ["AWS_STORAGE_BUCKET_NAME"] = ""  # never use the bucket of .env for a demo
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
def locked_folder(folder: Path) -> Iterator[None]:
    """Lock the folder, since two demos would overwrite each other's state; raises SetupError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"It runs already, with its state in {folder}.") from None
        yield


def check_port_is_free(name: str, port: int) -> None:
    try:
        with socket.create_server((HOST, port)):
            return
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise SetupError(
                f"Port {port}, for the {name}, is taken. Stop what listens there, or choose two "
                "others, one after the other: make demo-hosted PORT=8100"
            ) from None
        raise SetupError(f"Cannot listen on {HOST}:{port}: {error}.") from None


def run(folder: Path, port: int, s3: Environment) -> int:
    provider, site = provider_instance(folder, port, s3), site_instance(folder, port, s3)
    print_now(f"Setting up two sites in {folder}")
    provider.manage_or_raise("prepare")
    acquire_key(provider, folder / "provider-key")
    site.manage_or_raise("prepare")
    password = (folder / "site" / "demo-password").read_text(encoding="utf-8").strip()
    welcome = f"Ready on http://{HOST}:{port} for {DEMO_ACCOUNT} with the password {password}"
    names = [provider.name, site.name]
    return supervisor.supervise(
        [provider.program(), site.program()],
        cwd=ROOT,
        environment=os.environ,
        write_line=with_welcome(supervisor.line_writer(["up", *names]), names, welcome),
    )


def provider_instance(folder: Path, port: int, s3: Environment) -> Instance:
    """Return the provider: its own engine, pictures on disk, access to bucket and site."""
    allowed = [f"{HOST}:{port}", *s3_hosts(s3)]
    return Instance(
        name="provider",
        port=port + 1,
        environment=ISOLATED
        | {
            "AWS_STORAGE_BUCKET_NAME": "",
            "FACESWAP_FETCH_ALLOW": ", ".join(allowed),
            "FACESWAP_PROVIDER": "embedded",
            "FACESWAP_VAR": str(folder / "provider"),
            "SITE_URL": f"http://{HOST}:{port + 1}",
        },
    )


def site_instance(folder: Path, port: int, s3: Environment) -> Instance:
    provider = f"{HOST}:{port + 1}"
    return Instance(
        name="site",
        port=port,
        environment=ISOLATED
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
    """Write an API key of the provider to a file; an earlier one is kept while it works."""
    if file.exists():
        kept = file.read_text(encoding="utf-8")
        if (
            provider.manage("shell", "--verbosity", "0", "-c", KEY_CHECK, stdin=kept).returncode
            == 0
        ):
            return
    key = provider.manage_or_raise("create_api_key", CUSTOMER, "--create", "--quota", QUOTA)
    file.touch(mode=0o600)
    file.write_text(key + "\n", encoding="utf-8")


def with_welcome(write_line: WriteLine, names: list[str], welcome: str) -> WriteLine:
    """Return ``write_line`` that also prints the welcome when all sites are ready."""
    missing = set(names)
    lock = threading.Lock()  # each site's output is read in its own thread

    def listen(name: str, line: str) -> None:
        write_line(name, line)
        if "| Ready on " not in line:
            return
        with lock:
            is_last = missing == {name}
            missing.discard(name)
        if is_last:
            write_line("up", welcome)

    return listen


if __name__ == "__main__":
    sys.exit(main())
