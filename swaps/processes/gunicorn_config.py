"""Settings of gunicorn: ``--config python:swaps.processes.gunicorn_config``."""

import json
import logging
import os
import resource
import socket
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Any

import gunicorn.util
from django.conf import settings
from gunicorn.glogging import Logger
from gunicorn.http.errors import UnsupportedTransferCoding

from swaps import errors
from swaps.redaction import HideInvalidRequests, HideSecrets, loggable_path
from swaps.runtime.parent_death import die_with_parent, die_with_supervisor
from swaps.runtime.request_slots import IS_LEAVING, SLOTS

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "faceswap_site.settings")

worker_class = "swaps.processes.gunicorn_worker.Worker"
worker_connections = 4_000  # including those whose heads are awaited
# Requests at work share the slots; the others wait for results (swaps/runtime/request_slots.py).
threads = SLOTS + settings.FACESWAP_API_WAITING_CALLS
timeout = 60
graceful_timeout = 8
keepalive = 5
limit_request_line = 8190  # the most there is: the playground has long URLs in its query
max_requests = 10_000
max_requests_jitter = 1_000
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108
control_socket_disable = True
# Who is a proxy, and what it says, is for swaps/middleware.py to know.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""
accesslog = "-"
access_log_format = "%(m)s %(U)s %(s)s %(B)s bytes %(M)s ms"
logger_class = "swaps.processes.gunicorn_config.AccessLogger"
MAX_OPEN_FILES = 16_384


ERRORS: dict[int, errors.SwapError] = {
    HTTPStatus.BAD_REQUEST: errors.BadRequest("http"),
    HTTPStatus.INTERNAL_SERVER_ERROR: errors.ApiError("broke"),
    HTTPStatus.NOT_IMPLEMENTED: errors.BadRequest("transfer_encoding"),
}


class AccessLogger(Logger):  # type: ignore[misc]
    """Logs paths without their secrets, and never a query string."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.addFilter(HideInvalidRequests())
            handler.addFilter(HideSecrets())

    def atoms(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*args, **kwargs)
        path = loggable_path(atoms["U"] or "")
        return atoms | {"U": path, "r": f"{atoms['m']} {path} {atoms['H']}", "q": "", "f": "-"}


def write_error(sock: socket.socket, status: int, _reason: str, _message: str) -> None:
    """Answer a request that never reaches Django with a JSON error, as the API does.

    Replaces gunicorn's HTML page: only programs send such requests.
    """
    trace_id = uuid.uuid4().hex
    status = status if status in ERRORS else HTTPStatus.BAD_REQUEST
    error = {"code": ERRORS[status].code, "message": ERRORS[status].message}
    body = json.dumps({"success": False, "error": error, "trace_id": trace_id})
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
        "Connection: close",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        f"X-Trace-Id: {trace_id}",
    )
    logging.getLogger(__name__).warning("trace=%s refused with %s", trace_id, ERRORS[status].code)
    gunicorn.util.write_nonblock(sock, "\r\n".join((*head, "", body)).encode())


def on_starting(_server: Any) -> None:
    """Stop with the supervisor, and allow as many open files as connections need."""
    die_with_supervisor()
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard_limit, MAX_OPEN_FILES), hard_limit))


def pre_request(_worker: Any, request: Any) -> None:
    """Refuse bodies that are compressed in transfer: nothing here would unpack them."""
    for name, value in request.headers:
        if name == "TRANSFER-ENCODING" and value.lower() != "chunked":
            raise UnsupportedTransferCoding(value)


def post_fork(_server: Any, worker: Any) -> None:
    """Use our error response in each worker, and stop it with its parent."""
    gunicorn.util.write_error = write_error
    die_with_parent(worker.ppid)


def post_worker_init(worker: Any) -> None:
    """Tell the application when its worker stops: waiting API calls return then."""
    application = worker.wsgi

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        environ[IS_LEAVING] = lambda: not worker.alive
        return application(environ, start_response)

    worker.wsgi = serve
