"""An installation in which articles are silent and Slack knows it: from then on it has nothing to hear."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from connectors.producer import Producer
from deploy.demo.notices import notices_in
from deploy.demo.slack_inbox import SlackInbox
from deploy.demo.worker_gauges import WorkerGauges
from deploy.local.stack import LocalStack
from streams.clock import Clock, clock_from
from streams.domain.event_time import to_datetime
from streams.domain.rhythm import DAY_MS, day_of
from streams.schema.topics import Topics
from streams.schema.verdict import State
from streams.settings import Settings
from tests.calm import history
from tests.waiting import until

# A quarter of an hour takes 7.5 s, and what the rules remember for two hours they remember for a minute.
SPEED: Final = 120.0
# So long after the history's end some of its articles are silent.
_LATER_DAYS: Final = 40
_ALIVE: Final = set(State) - {State.NEW, State.SILENT, State.DORMANT}
_HEARTBEAT_EVERY_S: Final = 1.0
_PERIOD_S: Final = 10.0


@contextmanager
def calm(folder: Path, kafka_bootstrap: str, namespace: str) -> Iterator[tuple[LocalStack, SlackInbox]]:
    """Run one with two workers until Slack has heard of every silent article and nothing else; yield it and Slack."""
    with SlackInbox() as inbox:
        webhook = folder / "webhook"
        webhook.write_text(inbox.url)
        given = Settings.model_validate(
            {
                "kafka_bootstrap": kafka_bootstrap,
                "namespace": namespace,
                # Two for each of three workers.
                "partitions": 6,
                "session_timeout_s": 10,
                "slack_webhook_url_file": webhook,
            }
        )
        # Kafka takes nothing from the future.
        end_day = day_of(time.time_ns() // 1_000_000) - 2 * _LATER_DAYS
        _watch_the_past(folder, _on(end_day, 1.0, given), end_day=end_day)
        settings = _on(end_day + _LATER_DAYS, SPEED, given)
        with _source(settings, end_day=end_day), _stack(folder, settings) as stack:
            until("Slack has heard of the silences", lambda: _told(inbox) == set(history.SILENT))
            yield stack, inbox


def _on(day: int, speed: float, given: Settings) -> Settings:
    """Return settings with a clock on which a UTC day begins now, and which goes on at a speed."""
    clock = {"clock_origin": to_datetime(day * DAY_MS), "clock_epoch": datetime.now(UTC), "clock_speed": speed}
    return given.model_copy(update=clock)


def _stack(folder: Path, settings: Settings) -> LocalStack:
    return LocalStack(folder / "data", settings, workers=2)


def _watch_the_past(folder: Path, settings: Settings, *, end_day: int) -> None:
    """Have all articles judged when none is silent yet: a silence from before the watch would be no news."""
    with _stack(folder, settings) as stack, _producer(settings, clock_from(settings)) as producer:
        history.send_past(producer, end_day=end_day)
        producer.flush()
        workers = [stack.addresses[name] for name in ("worker-1", "worker-2")]
        until("all are judged", lambda: sum(map(_alive, workers)) == len(history.SILENT) + len(history.STEADY))


def _alive(worker: str) -> int:
    """Return how many articles a worker calls neither new nor long silent."""
    gauges = WorkerGauges.of(worker)
    return sum(number for state, number in gauges.articles.items() if state in _ALIVE) if gauges else 0


@contextmanager
def _source(settings: Settings, *, end_day: int) -> Iterator[None]:
    """Run a source that sent what came since the past's end, and goes on to say that there is nothing more."""
    over = threading.Event()
    with _producer(settings, clock_from(settings)) as producer:

        def beat() -> None:
            while not over.wait(_HEARTBEAT_EVERY_S):
                producer.heartbeat(history.SOURCE, period_s=_PERIOD_S * SPEED)

        history.send_links(producer, from_day=end_day, until_day=end_day + _LATER_DAYS, end_day=end_day)
        producer.heartbeat(history.SOURCE, period_s=_PERIOD_S * SPEED)
        thread = threading.Thread(target=beat, name=history.SOURCE, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _producer(settings: Settings, clock: Clock) -> Producer:
    topics = Topics(namespace=settings.namespace, partitions=settings.partitions)
    return Producer(settings.kafka_bootstrap, topics, now_ms=clock.now_ms)


def _told(inbox: SlackInbox) -> set[str]:
    """Return the articles that Slack was told to be silent. Fails if it was told anything else."""
    assert inbox.violations == []
    notices = [notice for message in inbox.messages for notice in notices_in(message)]
    assert {notice.alert for notice in notices} <= {"articlesilent"}, notices
    return {notice.subject for notice in notices}
