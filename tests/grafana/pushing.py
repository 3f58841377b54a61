"""Single requests to the ingest and the API, of which the answer may be anything."""

import http.client
from contextlib import closing
from typing import Final

from tests.waiting import PATIENCE_S

TIMEOUT_S: Final = PATIENCE_S
CONTENT_TYPE: Final = "application/x-ndjson"


def post(ingest: str, path: str, body: bytes, *, token: str) -> int:
    """Push NDJSON to the ingest at host:port, and return the status."""
    with closing(http.client.HTTPConnection(ingest, timeout=TIMEOUT_S)) as connection:
        connection.request("POST", path, body, {"Authorization": f"Bearer {token}", "Content-Type": CONTENT_TYPE})
        return connection.getresponse().status


def get(api: str, path: str) -> int:
    """Ask the API at host:port, and return the status."""
    with closing(http.client.HTTPConnection(api, timeout=TIMEOUT_S)) as connection:
        connection.request("GET", path)
        return connection.getresponse().status
