"""A small SMTP server that can be silent, refuse, or break off."""

import email
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message
from typing import ClassVar


class MailServer(socketserver.ThreadingTCPServer):
    """An SMTP server; ``replies`` replace a command's usual reply, an empty one closes there."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.is_silent = False
        self.is_over = threading.Event()
        self.connections = 0
        self.replies: dict[str, str] = {}
        self.received: list[Message] = []
        self.envelopes: list[list[str]] = []

    @property
    def port(self) -> int:
        port: int = self.server_address[1]
        return port


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer
    USUAL: ClassVar = {"DATA": "354 go on", "QUIT": "221 bye"}

    def handle(self) -> None:
        self.server.connections += 1
        if self.server.is_silent:
            self.server.is_over.wait()
            return
        self._reply("220 here")
        recipients: list[str] = []
        while line := self.rfile.readline():
            command = line.split(b" ")[0].strip().upper().decode()
            reply = self.server.replies.get(command, self.USUAL.get(command, "250 fine"))
            if not reply:
                return
            self._reply(reply)
            if command == "RCPT":
                recipients.append(line.decode().strip().partition(":")[2])
            if reply.startswith("354"):
                data = b"".join(iter(self.rfile.readline, b".\r\n"))
                reply = self.server.replies.get("MESSAGE", "250 taken")
                if reply.startswith("250"):
                    self.server.received.append(email.message_from_bytes(data))
                    self.server.envelopes.append(recipients)
                self._reply(reply)
            if command == "QUIT":
                return

    def _reply(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
            thread.join()
