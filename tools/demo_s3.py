"""Storage of the demo's pictures: a bucket of the environment, an S3 server, or the disk."""

import contextlib
import functools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
S3_SERVER = ROOT.parent / "shared" / "s3-server"
S3_PORTS = 4  # consecutive
CLEARED = (
    "AWS_ACCESS_KEY_ID_FILE",
    "AWS_SECRET_ACCESS_KEY_FILE",
    "AWS_SESSION_TOKEN",
    "AWS_SESSION_TOKEN_FILE",
    "AWS_S3_ENCRYPTION",
    "AWS_S3_KMS_KEY_ID",
    "AWS_S3_PUBLIC_ENDPOINT_URL",
    "AWS_STORAGE_BUCKET_NAME",
)

Environment = dict[str, str]
print_now = functools.partial(print, flush=True)


class SetupError(Exception):
    """The demo cannot start; ``str()`` says why and what to do."""


@contextlib.contextmanager
def picture_storage(folder: Path, port: int, *, is_s3_wanted: bool) -> Iterator[Environment]:
    """Yield the site's settings of its bucket; they are empty when pictures are kept on disk."""
    if bucket := is_s3_wanted and os.environ["AWS_STORAGE_BUCKET_NAME"]:
        s3 = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        print_now(f"Pictures are kept in the bucket {bucket}, as the environment says.")
        yield s3
        return
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(started_server(folder / "s3", port)) if is_s3_wanted else None
        if own:
            print_now(f"Pictures are kept on S3: {S3_SERVER} at {s3_hosts(own)[0]}.")
        else:
            print_now("Without S3: pictures are kept on disk, behind signed URLs of the site.")
        yield dict.fromkeys(CLEARED, "") | (own or {})


@contextlib.contextmanager
def started_server(data: Path, port: int) -> Iterator[Environment | None]:
    """Start an S3 server unless it runs already, and yield its settings; None when there is none.

    It is stopped at the end if this demo started it.
    """
    if not S3_SERVER.is_file():
        yield None
        return
    server, place = [sys.executable, str(S3_SERVER)], ["--data", str(data)]
    ports = ["--port", str(free_ports(port + 1000, S3_PORTS))] if not data.exists() else []
    status = subprocess.run([*server, "status", *place], capture_output=True, check=False)
    ours = data.with_name(".s3-is-ours")  # left behind when an earlier demo was killed
    if status.returncode:  # some of its processes do not run
        ours.touch()
    try:
        done = subprocess.run(
            [*server, "start", *place, *ports], stdout=subprocess.PIPE, text=True, check=False
        )
        lines = done.stdout.splitlines() if done.returncode == 0 else []
        yield dict(line.split("=", 1) for line in lines) or None
    finally:
        if ours.exists():
            subprocess.run([*server, "stop", *place], check=False, start_new_session=True)
            ours.unlink()


def free_ports(first: int, count: int) -> int:
    """Return the first of ``count`` consecutive ports that are free; raises SetupError."""
    for start in range(first, 65_536 - count, count):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(start, start + count):
                stack.enter_context(socket.create_server((HOST, port)))
            return start
    raise SetupError(f"No {count} ports in a row are free above {first}.")


def s3_hosts(s3: Environment) -> list[str]:
    """Return host and port of presigned URLs; nothing for AWS itself."""
    names = ("AWS_S3_PUBLIC_ENDPOINT_URL", "AWS_S3_ENDPOINT_URL")
    return [urlsplit(s3[name]).netloc for name in names if s3.get(name)][:1]
