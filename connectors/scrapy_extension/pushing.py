"""Pushes events to the ingest over HTTP, and waits as long as it says."""

import http.client
import json
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from flatline_connectors.errors import ConnectorError

_TIMEOUT_S: Final = 60.0
_TRIES: Final = 6
_WAIT_S: Final = 5.0
_WAIT_MAX_S: Final = 60.0
_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
_ANSWERED: Final = frozenset({200, 422})  # the latter: all events were rejected


class PushFailed(ConnectorError):
    """The ingest did not take events. The message says why."""

    remedy = "Check FLATLINE_INGEST_URL and the token; the next run sends again what is missing."


@dataclass(frozen=True)
class Pushed:
    """What the ingest said of a batch: how many it took, and why not the others."""

    accepted: int
    rejected: Sequence[str]


class Pusher:
    """Sends batches. ``sleep`` waits some seconds."""

    def __init__(self, url: str, token: str, *, sleep: Callable[[float], object] = time.sleep) -> None:
        self._url = urlsplit(url)
        self._headers = {"Content-Type": "application/x-ndjson"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._sleep = sleep

    def push(self, path: str, records: Sequence[bytes]) -> Pushed:
        """Send records, one after the other, and return what became of them when Kafka has them. Raise `PushFailed`."""
        body, answer = b"\n".join(records), _Answer(0, "", b"")
        for left in reversed(range(_TRIES)):
            try:
                answer = self._post(path, body)
            except (OSError, http.client.HTTPException) as error:
                if not left:
                    raise PushFailed(f"{self._url.geturl()} can't be reached: {error}") from None
                self._sleep(_WAIT_S)
                continue
            if answer.status in _ANSWERED:
                return _pushed(answer.body)
            if answer.status not in _PASSING:
                break
            if left:
                wait_s = float(answer.retry_after) if answer.retry_after.isdecimal() else _WAIT_S
                self._sleep(min(_WAIT_MAX_S, wait_s))
        raise PushFailed(f"{self._url.geturl()} answers with HTTP status {answer.status}: {_words(answer.body)}")

    def _post(self, path: str, body: bytes) -> "_Answer":
        """Send one request: through no proxy, and to nobody else, as redirects would."""
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection  # noqa: TID251 - the ingest is ours
        with closing(kind(self._url.hostname or "", self._url.port, timeout=_TIMEOUT_S)) as connection:
            connection.request("POST", f"{self._url.path.rstrip('/')}{path}", body, self._headers)
            response = connection.getresponse()
            return _Answer(response.status, response.headers.get("Retry-After", ""), response.read())


class _Answer(NamedTuple):
    status: int
    retry_after: str
    body: bytes


def _pushed(body: bytes) -> Pushed:
    try:
        answer: dict[str, Any] = json.loads(body)
        return Pushed(answer["accepted"], [f"{each['reason']}: {each['detail']}" for each in answer["rejected"]])
    except (ValueError, KeyError, TypeError) as error:
        raise PushFailed(f"the answer is not one of Flatline's ingest: {error}") from None


def _words(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "not an answer of Flatline's ingest"
