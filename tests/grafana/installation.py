"""A whole installation that lives through a history, and what its Prometheus has seen of it."""

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import orjson

from flatline.demo.installation import demo_settings
from flatline.demo.pacing import PacedClock
from flatline.demo.past import import_past
from flatline.demo.play import Play
from flatline.demo.pusher import Pusher
from flatline.domain.time import DAY_MS, to_datetime
from flatline.local.services import services_with_api
from flatline.local.stack import LocalStack
from flatline.settings import Settings
from tests.grafana.faults import Faults, restart_worker
from tests.grafana.histories import History
from tests.grafana.interpolation import Span
from tests.grafana.prometheus_api import PrometheusApi
from tests.grafana.pushing import get, post

SCRAPE_S: Final = 1
_TICK_S: Final = 0.2
_FAULTS_EVERY_S: Final = 2.0
_SEEN_TIMES: Final = 2
_ANALYTICS: Final = "analytics"


class Lived(NamedTuple):
    """What Prometheus has seen of a history.

    ``calm`` is the time in which all was well, ``whole`` goes on through the trouble.
    """

    prometheus: PrometheusApi
    calm: Span
    whole: Span
    is_made_for_us: bool


@contextmanager
def lived_through(history: History, folder: Path, *, bootstrap: str, namespace: str) -> Iterator[Lived]:
    """Start a whole installation with two workers in ``folder``, play all of the history, and leave it running."""
    tokens = {source: secrets.token_hex() for source in (*history.sources, _ANALYTICS)}
    settings = demo_settings(
        Settings.model_validate({"kafka_bootstrap": bootstrap, "namespace": namespace, "partitions": 4}),
        folder=folder,
        calendar=history.calendar,
        webhook_url="",
        tokens=tokens,
    ).model_copy(update={"slack_webhook_url_file": None, "session_timeout_s": 6})
    with LocalStack(folder, settings, workers=2, services=services_with_api) as stack:
        yield _play(history, stack, tokens)


def _play(history: History, stack: LocalStack, tokens: dict[str, str]) -> Lived:
    play = history.play(stack.settings.data_dir)
    import_past(play, stack, say=lambda _: None)
    with (
        PacedClock(stack, history.calendar, period_days=play.period_days, inbox=None) as clock,
        closing(_Player(play, history.addresses, stack, clock, tokens)) as player,
        closing(Faults(stack, token=tokens[history.sources[0]], url=history.addresses[0])) as faults,
    ):
        began_s = time.time()
        player.go_on(until_ms=history.calm_until_ms)
        calm = Span(began_s, time.time(), SCRAPE_S)
        restart_worker(stack, "worker-2")
        player.go_on(until_ms=history.calendar.ends_ms, faults=faults)
        player.settle()
    whole = Span(began_s, time.time(), SCRAPE_S)
    return Lived(PrometheusApi(stack.addresses["prometheus"]), calm, whole, history.is_made_for_us)


class _Player:
    """Has the sources report what they see, visits come, and somebody ask the API, as the clock goes on."""

    def __init__(
        self, play: Play, visited: Sequence[str], stack: LocalStack, clock: PacedClock, tokens: dict[str, str]
    ) -> None:
        self._play = play
        self._visited = visited
        self._stack = stack
        self._clock = clock
        self._ingest = stack.addresses["ingest"]
        self._analytics = tokens[_ANALYTICS]
        self._pushers = {source: Pusher(self._ingest, token, wait=stack.wait) for source, token in tokens.items()}
        self._played_ms = play.begins_ms
        self._acted_s = 0.0

    def close(self) -> None:
        """Let the ingest go."""
        for pusher in self._pushers.values():
            pusher._connection.close()

    def go_on(self, *, until_ms: int, faults: Faults | None = None) -> None:
        """Play on; with ``faults`` these are made now and then."""
        while self._clock.now_ms < until_ms:
            self._stack.wait(_TICK_S)
            if self._clock.turn():
                self._report()
            now_ms = self._clock.now_ms
            if time.monotonic() > self._acted_s + _FAULTS_EVERY_S:
                self._acted_s = time.monotonic()
                self._count_visits(now_ms)
                get(self._stack.addresses["api"], "/api/v1/summary")
                if faults:
                    faults.make()
                    faults.overload()

    def settle(self) -> None:
        """Wait until Prometheus has seen all of it, and evaluated its rules on it, more than once."""
        for _ in range(_SEEN_TIMES):
            self._clock.sent(frozenset(self._play.sources(self._clock.now_ms)))
            while not self._clock.is_through:
                self._stack.wait(_TICK_S)
                self._clock.turn()

    def _report(self) -> None:
        now_ms, until_ms = self._clock.now_ms, self._clock.sends_until_ms
        reports = self._play.reports(from_ms=self._played_ms, until_ms=until_ms)
        alive = frozenset(self._play.sources(now_ms))
        for source, pusher in self._pushers.items():
            if lines := [report.line for report in reports if report.source == source]:
                pusher.links(lines)
            if source in alive:
                pusher.heartbeat(seen_until=to_datetime(now_ms), period_s=self._play.period_days * DAY_MS / 1000)
        self._played_ms = until_ms
        self._clock.sent(alive)

    def _count_visits(self, now_ms: int) -> None:
        day = f"{to_datetime(now_ms):%Y-%m-%d}"
        lines = [
            orjson.dumps({"url": url, "day": day, "visits": 3 + number % 5, "domain": f"north-{number}.example"})
            for number, url in enumerate(self._visited)
        ]
        post(self._ingest, "/v1/visits", b"\n".join(lines), token=self._analytics)
