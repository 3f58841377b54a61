"""A token endpoint on this machine: it gives tokens of an issuer to one client that knows its secret."""

import base64
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self
from urllib.parse import parse_qs, unquote_plus

import orjson

CLIENT: Final = "flatline: a client"  # with what has to be encoded
SECRET: Final = "a-client-secret:that/nobody must ever see"


class TokenServer:
    """Runs within a block. ``answer``: if set, the status and the body of each answer. ``issued`` counts tokens."""

    def __init__(self, token: Callable[[], str], *, lives_s: float, scope: str | None = None) -> None:
        self.answer: tuple[int, bytes] | None = None
        self.secret = SECRET
        self.issued = 0
        self._token = token
        self._lives_s = lives_s
        self._scope = scope
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, body = endpoint.answer or endpoint.respond(self.headers["Authorization"], form)
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"{endpoint.url}/elsewhere")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/token"

    def respond(self, authorization: str, form: dict[str, list[str]]) -> tuple[int, bytes]:
        """Return status and body, as RFC 6749 has them."""
        kind, _, encoded = authorization.partition(" ")
        client, _, secret = base64.b64decode(encoded).decode().partition(":")
        if (kind, unquote_plus(client), unquote_plus(secret)) != ("Basic", CLIENT, self.secret):
            return 401, b'{"error": "invalid_client"}'
        if form != {"grant_type": ["client_credentials"]} | ({"scope": [self._scope]} if self._scope else {}):
            return 400, b'{"error": "invalid_request"}'
        self.issued += 1
        said = {"access_token": self._token(), "token_type": "Bearer", "expires_in": self._lives_s}
        return 200, orjson.dumps(said)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
