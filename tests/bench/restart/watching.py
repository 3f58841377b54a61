"""Watches a worker through its HTTP endpoint: answers of its event loop, and scrapes."""

import http.client
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

from tests.bench.worker import Worker

SCRAPE_EVERY_S: Final = 5.0

_ASK_EVERY_S: Final = 0.02
_TIMEOUT_S: Final = 120


class Took(NamedTuple):
    """How long an answer took, by the wall, and of the loop's thread on the processor."""

    took_s: float
    cpu_s: float


class Watch:
    """Watches during the block.

    ``answers``   of the event loop, asked for all the time
    ``scrapes``   of all metrics, one every SCRAPE_EVERY_S
    ``judged``    articles that the last scrape counted
    ``waited_s``  how long the loop's thread was ready to run, and had no processor
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._schedule = Path(f"/proc/{worker.pid}/task/{worker.pid}/schedstat")
        self._is_over = threading.Event()
        self._failure: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._run, args=(look,), name=look.__name__) for look in (self._ask, self._scrape)
        ]
        self.answers: list[Took] = []
        self.scrapes: list[Took] = []
        self.judged = 0.0
        self.waited_s = 0.0

    def __enter__(self) -> Self:
        self._waited_before_s = self._scheduled()[1]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()
        with suppress(OSError):  # of a worker that has ended there is nothing to see
            self.waited_s = self._scheduled()[1] - self._waited_before_s

    def check(self) -> None:
        """Raise what ended the watch before its time, if anything did."""
        if self._failure is not None:
            raise self._failure

    def _run(self, look: Callable[[http.client.HTTPConnection], None]) -> None:
        try:
            with closing(http.client.HTTPConnection(self._worker.address, timeout=_TIMEOUT_S)) as connection:
                look(connection)
        except Exception as error:  # noqa: BLE001 - it is raised where it can be seen, by `check`
            self._failure = error

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        while not self._is_over.wait(_ASK_EVERY_S):
            self.answers.append(self._get(connection, "/livez")[0])

    def _scrape(self, connection: http.client.HTTPConnection) -> None:
        while not self._is_over.is_set():
            took, text = self._get(connection, "/metrics")
            self.scrapes.append(took)
            families = text_string_to_metric_families(text)
            samples = (sample for family in families for sample in family.samples)
            self.judged = sum(sample.value for sample in samples if sample.name == "flatline_articles")
            self._is_over.wait(SCRAPE_EVERY_S)

    def _get(self, connection: http.client.HTTPConnection, path: str) -> tuple[Took, str]:
        (cpu_before_s, _), began_s = self._scheduled(), time.perf_counter()
        connection.request("GET", path)
        text = connection.getresponse().read().decode()
        took_s = time.perf_counter() - began_s
        return Took(took_s, self._scheduled()[0] - cpu_before_s), text

    def _scheduled(self) -> tuple[float, float]:
        """Return how long the loop's thread was on the processor, and how long it waited for one."""
        ran_ns, waited_ns, _ = self._schedule.read_text().split()
        return int(ran_ns) / 1e9, int(waited_ns) / 1e9


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
