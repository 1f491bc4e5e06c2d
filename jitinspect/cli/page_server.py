"""A page for the user's own browser: served on this machine alone, to whoever knows its address.

The server is a process of its own, with threads: the one that makes the pages forks, and can have none.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socketserver
import threading
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NoReturn

from jitinspect.devices.lifeline import Parent, fork
from jitinspect.errors import UnavailableError

HOST = "127.0.0.1"
_PATIENCE = 10.0
"""Seconds that the first page may take from the command to the server."""
_HTML, _JSON = "text/html; charset=utf-8", "application/json"


@dataclass(frozen=True, slots=True)
class Served:
    """What is to be had: the page, and what the page asks for again and again: whether it is still the last
    one, what a save led to, and what failed since.
    """

    page: bytes
    version: int
    told: str = ""
    error: str | None = None


class PageServer:
    """The process that serves; is to be closed. `url` is the page's, which is there once it is shown."""

    def __init__(self) -> None:
        try:
            server = _Server()
        except OSError as error:
            raise UnavailableError(f"cannot serve on {HOST}: {error.strerror}", hint="-o page.html") from None
        self.url = f"http://{HOST}:{server.server_port}{server.path}"
        self._child = fork(partial(_serve, server))
        server.server_close()

    def __enter__(self) -> PageServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.end()

    def show(self, served: Served) -> None:
        """From now on, this is what is to be had."""
        self._child.send(served)


def _serve(server: _Server, parent: Parent) -> NoReturn:
    """Ends with the parent; Ctrl-C is for that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        while True:
            server.show(parent.receive())
    finally:
        os._exit(0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.path = f"/{secrets.token_urlsafe()}/"
        self._served: Served | None = None
        self._is_shown = threading.Event()
        super().__init__((HOST, 0), _Handler)
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    def server_bind(self) -> None:
        """Without asking for the name of this machine, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    def show(self, served: Served) -> None:
        self._served = served
        self._is_shown.set()

    def found(self, path: str) -> tuple[str, bytes] | None:
        """The type and the content of what is at a path. The address is told when the first page is made,
        which may be a moment before it is here: whoever asks so early gets it then.
        """
        is_page = secrets.compare_digest(path.encode(), self.path.encode())
        if not is_page and not secrets.compare_digest(path.encode(), f"{self.path}version".encode()):
            return None
        self._is_shown.wait(_PATIENCE)
        if (served := self._served) is None:
            return None
        if is_page:
            return _HTML, served.page
        told = {"version": served.version, "told": served.told, "error": served.error}
        return _JSON, json.dumps(told).encode()


class _Handler(BaseHTTPRequestHandler):
    """Of who asks for anything else, nothing is said but that it is refused."""

    server: _Server
    server_version, sys_version = "jitinspect", ""
    timeout = 30

    def do_GET(self) -> None:
        # Another site may have had its name mean this machine; the browser then sends that name.
        if self.headers.get("Host") not in self.server.hosts:
            self.send_error(HTTPStatus.FORBIDDEN)
        elif (found := self.server.found(self.path)) is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._answer(HTTPStatus.OK, *found)

    do_HEAD = do_GET

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """Without content. The base class calls it for other methods, and for what is no request."""
        self._answer(code)

    def _answer(self, code: int, kind: str = "text/plain", content: bytes = b"") -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """The terminal is for what is made, not for who looks at it."""
