"""HTTP as it goes over the wire, for requests that no client library would send."""

import contextlib
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

HOST = "faces.example.org"
PASSWORD = "a fine long pass phrase"
FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    head: str
    body: str

    def cookies(self) -> str:
        return "Cookie: " + "; ".join(re.findall(r"(?im)^set-cookie: ([^;\r\n]+)", self.head))


@dataclass(frozen=True, kw_only=True)
class Door:
    """An address at which the site is reached; requests claim to have come by https."""

    port: int
    is_tls: bool = False
    folder: Path = Path()

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        place = ("127.0.0.1", self.port)
        connection = socket.create_connection(place, 20, source_address=(source, 0))
        if not self.is_tls:
            return connection
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(connection, server_hostname=HOST)

    def is_open(self) -> bool:
        try:
            self.connect().close()
        except OSError:
            return False
        return True

    def ask(
        self,
        first_line: str,
        *headers: str,
        body: bytes = b"",
        source: str = "127.0.0.1",
    ) -> Answer:
        """Send one request on a connection of its own."""
        lines = [f"{first_line} HTTP/1.1", f"Host: {HOST}", "Connection: close", *headers]
        if not self.is_tls:
            lines.append("X-Forwarded-Proto: https")
        if body and CHUNKED not in headers:
            lines.append(f"Content-Length: {len(body)}")
        return self.say("\r\n".join([*lines, "", ""]).encode() + body, source=source)

    def say(self, request: bytes, source: str = "127.0.0.1") -> Answer:
        answer = b""
        with self.connect(source) as connection:
            with contextlib.suppress(OSError):  # it may be answered before all is sent
                connection.sendall(request)
            with contextlib.suppress(OSError):
                while data := connection.recv(65_536):
                    answer += data
        head, _, text = answer.decode(errors="replace").partition("\r\n\r\n")
        status = int(head.split(" ")[1]) if head.startswith("HTTP/") else 0
        return Answer(status=status, head=head, body=text)

    def post(
        self,
        path: str,
        fields: dict[str, str],
        *headers: str,
        chunk_size: int = 0,
        source: str = "127.0.0.1",
    ) -> Answer:
        """Post a form as a browser does that has just loaded its page."""
        page = self.ask(f"GET {path}", *headers, source=source)
        body = urlencode({"csrfmiddlewaretoken": token_in(page), **fields}).encode()
        headers = (FORM, f"Referer: https://{HOST}{path}", page.cookies(), *headers)
        if chunk_size:
            body, headers = in_chunks(body, chunk_size), (CHUNKED, *headers)
        return self.ask(f"POST {path}", *headers, body=body, source=source)

    def sign_up(self, email: str, *headers: str, chunk_size: int = 0, source: str) -> Answer:
        fields = {"email": email, "password1": PASSWORD}
        path = "/accounts/signup/"
        return self.post(path, fields, *headers, chunk_size=chunk_size, source=source)


def token_in(page: Answer) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.body)
    assert found, page
    return found[1]


def in_chunks(body: bytes, size: int, last: bytes = b"0\r\n\r\n") -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + last


def multipart(fields: dict[str, str], files: dict[str, Path]) -> tuple[str, bytes]:
    """Return content type and body of a form with files."""
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    parts += [
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{path.name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n".encode()
        + path.read_bytes()
        + b"\r\n"
        for name, path in files.items()
    ]
    return "Content-Type: multipart/form-data; boundary=b", b"".join(parts) + b"--b--\r\n"
