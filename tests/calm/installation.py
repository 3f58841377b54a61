"""An installation in which articles are silent and Slack knows it: from then on it has nothing to hear."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flatline.clock import Clock, FileClock, clock_from
from flatline.demo.notices import notices_in
from flatline.demo.slack_inbox import SlackInbox
from flatline.demo.worker_gauges import WorkerGauges
from flatline.domain.time import DAY_MS, day_of
from flatline.local.stack import LocalStack
from flatline.schema.topics import Topics
from flatline.schema.verdict import State
from flatline.settings import Settings
from flatline_connectors.sending.producer import Producer
from tests.calm import history
from tests.turning import running_clock
from tests.waiting import until

# A quarter of an hour takes 7.5 s, and what the rules remember for two hours they remember for a minute.
SPEED: Final = 120.0
# So long after the history's end some of its articles are silent.
_LATER_DAYS: Final = 40
_ALIVE: Final = set(State) - {State.NEW, State.SILENT, State.DORMANT}
# By the wall; two hours of the clock.
_PERIOD_S: Final = 60.0


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
        clock = folder / "clock"
        FileClock(clock).turn(end_day * DAY_MS)
        _watch_the_past(folder, given.model_copy(update={"clock_file": clock}), end_day=end_day)
        FileClock(clock).turn((end_day + _LATER_DAYS) * DAY_MS)
        settings = given.model_copy(update={"clock_file": clock, "clock_speed": SPEED})
        with _source(settings, clock, end_day=end_day), _stack(folder, settings) as stack:
            until("Slack has heard of the silences", lambda: _told(inbox) == set(history.SILENT))
            yield stack, inbox


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
def _source(settings: Settings, clock: Path, *, end_day: int) -> Iterator[None]:
    """Run a source that sent what came since the past's end, and the clock, on which it goes on to say: no more.

    The clock waits for its heartbeats, or the source would go quiet on a machine that leaves it no time for them.
    """
    from_day = end_day + _LATER_DAYS
    with _producer(settings, clock_from(settings)) as producer:

        def beat() -> None:
            producer.heartbeat(history.SOURCE, period_s=_PERIOD_S * SPEED)

        history.send_links(producer, from_day=end_day, until_day=from_day, end_day=end_day)
        beat()
        with running_clock(clock, from_ms=from_day * DAY_MS, speed=SPEED, before_turn=beat):
            yield


def _producer(settings: Settings, clock: Clock) -> Producer:
    topics = Topics(namespace=settings.namespace, partitions=settings.partitions)
    return Producer(settings.cluster, topics, now_ms=clock.now_ms)


def _told(inbox: SlackInbox) -> set[str]:
    """Return the articles that Slack was told to be silent. Fails if it was told anything else."""
    assert inbox.violations == []
    notices = [notice for message in inbox.messages for notice in notices_in(message)]
    assert {notice.alert for notice in notices} <= {"articlesilent"}, notices
    return {notice.subject for notice in notices}
