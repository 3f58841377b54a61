"""A real ingest as a real process, and clients that push to it."""

import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flatline.local.ports import LOOPBACK, Ports
from flatline.schema.topics import Topics
from tests.scripts import FLATLINE
from tests.waiting import PATIENCE_S

TOKEN = "a-token-that-nobody-must-ever-see"
SOURCE = "a-crawler"
JSON = "application/json"
NDJSON = "application/x-ndjson"


@dataclass(frozen=True)
class Answer:
    """What the ingest answered."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        """The code in an error body, which has nothing else beside its message."""
        assert set(self.body) == {"error"}
        assert set(self.body["error"]) == {"code", "message"}
        return str(self.body["error"]["code"])


@dataclass(frozen=True)
class RunningIngest:
    """A running ingest, the topics that it writes to, and its folder."""

    process: subprocess.Popen[bytes]
    topics: Topics
    port: int
    tokens_file: Path
    log_file: Path

    @contextmanager
    def connect(self) -> Iterator[http.client.HTTPConnection]:
        """Open a connection for the block."""
        with closing(http.client.HTTPConnection(LOOPBACK, self.port, timeout=PATIENCE_S)) as connection:
            yield connection

    def ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> Answer:
        """Send one request on a connection of its own."""
        with self.connect() as connection:
            connection.request(method, path, body, headers or {})
            return read_answer(connection)

    def push(self, body: bytes, content_type: str = JSON, *, path: str = "/v1/links", **headers: str) -> Answer:
        """POST with the token."""
        return self.ask("POST", path, body, {**authorized(content_type), **headers})

    def log(self) -> str:
        """Return everything that it has logged or printed."""
        return self.log_file.read_text()


def begin_push(connection: http.client.HTTPConnection, length: int) -> None:
    """Send the head of a push and no more; the ingest has it in hand then."""
    head = {**authorized(), "Content-Length": str(length), "Expect": "100-continue"}
    connection.request("POST", "/v1/links", headers=head)
    connection.sock.recv(1, socket.MSG_PEEK)  # it says 100 when it begins to handle the request


def authorized(content_type: str = JSON) -> dict[str, str]:
    """Return the headers of a request that is let in."""
    return {"Authorization": f"Bearer {TOKEN}", "Content-Type": content_type}


def read_answer(connection: http.client.HTTPConnection) -> Answer:
    """Return the answer to the request that was sent on a connection."""
    response = connection.getresponse()
    body = response.read()
    is_json = response.headers.get_content_type() == JSON
    return Answer(response.status, dict(response.headers), json.loads(body) if is_json else body.decode())


@contextmanager
def running_ingest(
    environment: dict[str, str], topics: Topics, folder: Path, *options: str, source: str = SOURCE
) -> Iterator[RunningIngest]:
    """Run `flatline ingest` with one token, of a source that others may follow after commas; it is ready."""
    tokens_file, log_file = folder / "tokens", folder / "ingest.log"
    tokens_file.touch(mode=0o600)
    tokens_file.write_text(f"# who may push\n\n{source}:{TOKEN}\n")
    port = Ports(folder / "ports.json").claim("ingest")
    command = [FLATLINE, "ingest", "--port", str(port), "--tokens-file", str(tokens_file), *options]
    with (
        log_file.open("ab") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        running = RunningIngest(process, topics, port, tokens_file, log_file)
        try:
            _wait_listening(running)
            yield running
        finally:
            process.kill()


def _wait_listening(running: RunningIngest) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while f"listens on http://{LOOPBACK}:{running.port}" not in running.log():
        assert running.process.poll() is None, running.log()
        assert time.monotonic() < give_up_at, running.log()
        time.sleep(0.05)
