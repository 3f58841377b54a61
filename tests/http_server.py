"""HTTP servers of tests, each in a thread of the test's own process."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from flatline.local.ports import LOOPBACK


class Handler(BaseHTTPRequestHandler):
    """Answers GET with `get` and POST with `post`, and logs nothing."""

    def do_GET(self) -> None:
        """Answer."""
        self.get()

    def do_POST(self) -> None:
        """Answer."""
        self.post()

    def get(self) -> None:
        """Answer, if there is no answer of its own."""
        self.answer(404, "text/plain", b"")

    post = get

    def answer(self, status: int, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """Answer with a body of a media type."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def running_server(handler: type[BaseHTTPRequestHandler], host: str = LOOPBACK) -> Iterator[str]:
    """Run a server at a free port, and return its host and port: `127.0.0.1:40123`."""
    with ThreadingHTTPServer((host, 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"{host}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
