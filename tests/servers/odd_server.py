"""An HTTP server that answers what a test tells it to: for servers that are odd or hostile."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import NamedTuple

from tests.servers.process import HOST


class Asked(NamedTuple):
    """A request that came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Told(NamedTuple):
    """What is answered; `length` where it is not that of the body."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    length: int | None = None


Script = Callable[[Asked], Told]


class OddServer:
    """Running; `asked` has all that came in."""

    def __init__(self, script: Script, context: ssl.SSLContext | None) -> None:
        self.asked: list[Asked] = []
        self.script = script
        self._http = _Quiet((HOST, 0), _handler(self))
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = int(self._http.server_address[1])
        self._thread = Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

    def methods(self) -> list[str]:
        return [each.method for each in self.asked]


def _handler(server: OddServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def parse_request(self) -> bool:
            good = super().parse_request()
            if good:
                setattr(self, f"do_{self.command}", self.answer)
            return good

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path, dict(self.headers.items()), body)
            server.asked.append(asked)
            told = server.script(asked)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            length = len(told.body) if told.length is None else told.length
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if self.command != "HEAD":
                with suppress(OSError):
                    self.wfile.write(told.body)
            self.close_connection = length != len(told.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    return Handler


class _Quiet(ThreadingHTTPServer):
    """Clients that hang up, or that refuse a certificate, are what is tested."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Nobody reads it."""


@contextmanager
def odd_server(script: Script, context: ssl.SSLContext | None = None) -> Iterator[OddServer]:
    """A server that answers by `script`; with `context` over TLS."""
    server = OddServer(script, context)
    try:
        yield server
    finally:
        server.stop()


def multistatus(*responses: str) -> Told:
    """An answer to PROPFIND."""
    text = (
        f'<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">{"".join(responses)}</D:multistatus>'
    )
    return Told(207, {"Content-Type": "application/xml"}, text.encode())


def resource(href: str, *, directory: bool = False, size: int = 0, status: int = 200) -> str:
    """One name in it."""
    kind = "<D:collection/>" if directory else ""
    return (
        f"<D:response><D:href>{href}</D:href><D:propstat><D:prop>"
        f"<D:resourcetype>{kind}</D:resourcetype>"
        f"<D:getcontentlength>{size}</D:getcontentlength></D:prop>"
        f"<D:status>HTTP/1.1 {status} X</D:status></D:propstat></D:response>"
    )
