"""Faults that are made on purpose, so that what shows them has something to show."""

import http.client
import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from kafka import KafkaProducer

from flatline.domain.urls.canonical import article_key
from flatline.local.stack import LocalStack
from flatline.schema.partitioning import partition_of
from tests.grafana.pushing import CONTENT_TYPE, TIMEOUT_S, post
from tests.local.observing import children_of

_LINKS: Final = "/v1/links"


class Faults:
    """Faults of the producers of an installation; ``token`` is of one of them."""

    def __init__(self, stack: LocalStack, *, token: str, url: str) -> None:
        """``url`` is an article's."""
        settings = stack.settings
        self._topics = settings.topics
        self._ingest = stack.addresses["ingest"]
        self._requests_max = settings.ingest_max_requests
        self._token = token
        self._url = url
        self._number = 0
        self._kafka = KafkaProducer(bootstrap_servers=settings.kafka_bootstrap.split(","))

    def close(self) -> None:
        """Let Kafka go."""
        self._kafka.close()

    def make(self) -> None:
        """Make one of each: events that are rejected or unreadable, clocks that go wrong, a key of somebody's own.

        The first time also what never happens again: a record with nothing in it.
        """
        self._number += 1
        if self._number == 1:
            self._send(b"")
        self._post(b'{"url_from": "https://a.example/x"}\n{broken\n{"url_from": "mailto:a", "url_to": 1}')
        post(self._ingest, _LINKS, b"{}", token="nobody's")
        self._send(b"{broken")
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        self._send(self._event("clock", occurred_at=f"{tomorrow:%Y-%m-%dT%H:%M:%SZ}"))
        self._send(self._event("key"), misplaced=True)
        self._kafka.flush(TIMEOUT_S)

    def _post(self, body: bytes) -> int:
        return post(self._ingest, _LINKS, body, token=self._token)

    def _event(self, page: str, **fields: str) -> bytes:
        event = {"url_from": f"https://faults.example/{page}/{self._number}", "source": "crawler-north"}
        return json.dumps(event | {"url_to": f"{self._url}/{page}"} | fields).encode()

    def _send(self, value: bytes, *, misplaced: bool = False) -> None:
        topic = self._topics.links
        page = "key" if misplaced else "clock"
        right = partition_of(article_key(f"{self._url}/{page}", field="url_to"), topic.partitions)
        self._kafka.send(topic.name, value, partition=(right + misplaced) % topic.partitions)

    def overload(self) -> int:
        """Push while as many requests as the ingest takes at a time do not come to their end; return the status."""
        with ExitStack() as held:
            for _ in range(self._requests_max):
                held.enter_context(self._unfinished_request())
            give_up_at_s = time.monotonic() + TIMEOUT_S
            while (status := self._post(b"{}")) < http.client.INTERNAL_SERVER_ERROR:
                assert time.monotonic() < give_up_at_s, f"the ingest is never too busy; it said {status}"
        return status

    @contextmanager
    def _unfinished_request(self) -> Iterator[None]:
        host, port = self._ingest.split(":")
        head = f"POST {_LINKS} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {self._token}\r\n"
        with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
            connection.sendall(f"{head}Content-Type: {CONTENT_TYPE}\r\nContent-Length: 9\r\n\r\n".encode())
            yield


def restart_worker(stack: LocalStack, name: str) -> None:
    """End a worker in order, as a deployment does; its supervisor starts it again."""
    port = stack.addresses[name].rpartition(":")[2]
    variable = f"FLATLINE_WORKER_PORT={port}".encode()
    [pid] = [
        pid
        for pid, command in children_of(os.getpid()).items()
        if command.rstrip().endswith("worker") and variable in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    ]
    os.kill(pid, signal.SIGTERM)
