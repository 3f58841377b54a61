import http.client
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

import orjson

from flatline.demo.errors import DemoError

_BATCH_EVENTS_MAX: Final = 2_000
_TIMEOUT_S: Final = 10
_PATIENCE_S: Final = 30
_RETRY_EVERY_S: Final = 0.3
_AGAIN: Final = {http.client.TOO_MANY_REQUESTS, http.client.SERVICE_UNAVAILABLE}


class Pusher:
    """Pushes to the ingest over HTTP, as a crawler does, with the token of one source."""

    def __init__(self, address: str, token: str, *, wait: Callable[[float], None]) -> None:
        """``address`` is host:port; ``wait`` is called to let seconds pass before another attempt."""
        self._connection = http.client.HTTPConnection(address, timeout=_TIMEOUT_S)  # noqa: TID251 - our own ingest
        self._headers = {"Authorization": f"Bearer {token}"}
        self._wait = wait

    def links(self, lines: Sequence[bytes]) -> int:
        """Push link events and return how many of them were rejected. Raise `DemoError`."""
        rejected = 0
        for start in range(0, len(lines), _BATCH_EVENTS_MAX):
            body = b"\n".join(lines[start : start + _BATCH_EVENTS_MAX])
            rejected += len(self._post("/v1/links", body, content_type="application/x-ndjson")["rejected"])
        return rejected

    def heartbeat(self, *, seen_until: datetime, period_s: float) -> None:
        """Send a heartbeat: all until ``seen_until`` is reported, and the next one comes within the period.

        Raise `DemoError`.
        """
        body = orjson.dumps({"seen_until": seen_until, "period_s": period_s})
        if rejected := self._post("/v1/heartbeats", body, content_type="application/json")["rejected"]:
            raise DemoError(f"The ingest did not take a heartbeat: {rejected}")

    def _post(self, path: str, body: bytes, *, content_type: str) -> dict[str, list[object]]:
        give_up_at_s = time.monotonic() + _PATIENCE_S
        while True:
            try:
                self._connection.request("POST", path, body, {**self._headers, "Content-Type": content_type})
                response = self._connection.getresponse()
                said = response.read()
                if response.status in (http.client.OK, http.client.UNPROCESSABLE_ENTITY):
                    answer: dict[str, list[object]] = orjson.loads(said)
                    return answer
                problem = f"{response.status} {said.decode(errors='replace').strip()}"
                is_passing = response.status in _AGAIN
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                problem, is_passing = str(error), True
            if not is_passing or time.monotonic() > give_up_at_s:
                raise DemoError(f"The ingest did not take what was pushed to {path}: {problem}")
            self._wait(_RETRY_EVERY_S)
