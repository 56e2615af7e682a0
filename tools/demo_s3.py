"""Where the demo keeps its pictures: in a bucket of the environment, on an S3 server, on disk."""

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
S3_PORTS = 4  # one after the other
NOT_OF_THIS_BUCKET = (
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
tell = functools.partial(print, flush=True)


class Trouble(Exception):
    """Why it cannot start, and what to do."""


@contextlib.contextmanager
def pictures(folder: Path, port: int, *, is_s3_wanted: bool) -> Iterator[Environment]:
    """The site's settings of its bucket; an empty name where there is none."""
    if bucket := is_s3_wanted and os.environ["AWS_STORAGE_BUCKET_NAME"]:
        s3 = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
        tell(f"Pictures are kept in the bucket {bucket}, as the environment says.")
        yield s3
        return
    with contextlib.ExitStack() as stack:
        own = stack.enter_context(own_server(folder / "s3", port)) if is_s3_wanted else None
        if own:
            tell(f"Pictures are kept on S3: {S3_SERVER} at {place_of(own)[0]}.")
        else:
            tell("Without S3: pictures are kept on disk, behind signed URLs of the site.")
        yield dict.fromkeys(NOT_OF_THIS_BUCKET, "") | (own or {})


@contextlib.contextmanager
def own_server(data: Path, port: int) -> Iterator[Environment | None]:
    """What the server says of itself; stopped at the end, unless it ran before. None: no server."""
    if not S3_SERVER.is_file():
        yield None
        return
    server, place = [sys.executable, str(S3_SERVER)], ["--data", str(data)]
    ports = ["--port", str(free_ports(port + 1000, S3_PORTS))] if not data.exists() else []
    status = subprocess.run([*server, "status", *place], capture_output=True, check=False)
    ours = data.with_name(".s3-is-ours")  # still there when an earlier demo was killed
    if status.returncode:  # not all of it is running
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
    """The first of so many in a row that nobody listens on."""
    for start in range(first, 65_536 - count, count):
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port in range(start, start + count):
                stack.enter_context(socket.create_server((HOST, port)))
            return start
    raise Trouble(f"No {count} ports in a row are free above {first}.")


def place_of(s3: Environment) -> list[str]:
    """Host and port of presigned URLs, when they are not those of AWS itself."""
    names = ("AWS_S3_PUBLIC_ENDPOINT_URL", "AWS_S3_ENDPOINT_URL")
    return [urlsplit(s3[name]).netloc for name in names if s3.get(name)][:1]
