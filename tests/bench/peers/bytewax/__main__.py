"""The same job on Bytewax: an article is the state of a key, and its snapshots go to a recovery partition."""

from array import array
from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar, Final, NamedTuple, Self

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource, KafkaSourceMessage
from bytewax.dataflow import Dataflow
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import run_main
from xxhash import xxh3_64_intdigest

from flatline.domain.time import day_of, to_ms
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from tests.bench.run import Run, Stopwatch, Totals

BATCH: Final = 50_000
SNAPSHOT_EVERY: Final = timedelta(seconds=10)


class Snapshot(NamedTuple):
    """An article as Bytewax keeps it: it pickles bytes faster than sets."""

    links: bytes
    domains: bytes
    days: dict[int, int]
    last_ms: int


class Article(StatefulBatchLogic[LinkEvent, None, Snapshot]):
    """An article: fingerprints of its links and of its referring domains, links a day, the last link."""

    stopwatch: ClassVar[Stopwatch]
    known: ClassVar[list[Self]] = []

    def __init__(self, kept: Snapshot | None) -> None:
        kept = kept or Snapshot(b"", b"", {}, 0)
        self._links, self._domains = set(array("Q", kept.links)), set(array("Q", kept.domains))
        self._days, self._last_ms = dict(kept.days), kept.last_ms
        self.known.append(self)

    def on_batch(self, values: list[LinkEvent]) -> tuple[Iterable[None], bool]:
        """Add the links that are new."""
        links, domains, days = self._links, self._domains, self._days
        for event in values:
            link = xxh3_64_intdigest(event.url_from.encode())
            if link in links or event.change != "gained" or event.occurred_at is None:
                continue
            gained_ms = to_ms(event.occurred_at)
            day = day_of(gained_ms)
            links.add(link)
            domains.add(xxh3_64_intdigest(event.url_from.split("/", 3)[2].encode()))
            days[day] = days.get(day, 0) + 1
            self._last_ms = max(self._last_ms, gained_ms)
        self.stopwatch.applied(len(values))
        return (), StatefulBatchLogic.RETAIN

    def snapshot(self) -> Snapshot:
        """Return a copy that does not change."""
        links, domains = array("Q", self._links).tobytes(), array("Q", self._domains).tobytes()
        return Snapshot(links, domains, dict(self._days), self._last_ms)

    @classmethod
    def totals(cls) -> Totals:
        """Count what all articles have."""
        return Totals(
            links=sum(len(article._links) for article in cls.known),
            referring_domains=sum(len(article._domains) for article in cls.known),
            articles=len(cls.known),
        )


class Nowhere(DynamicSink[None], StatelessSinkPartition[None]):
    """A dataflow needs a sink. This one gets nothing."""

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> Self:
        """Return the sink of a worker."""
        return self

    def write_batch(self, items: list[None]) -> None:
        """Write nothing."""


def main(run: Run) -> None:
    """Run the dataflow to the end of the topic; its last snapshot is written before it ends."""
    flow = Dataflow("flatline")
    records = op.input("links", flow, KafkaSource([run.bootstrap], [run.topic], tail=False, batch_size=BATCH))
    articles = op.stateful_batch("accumulate", op.flat_map_batch("decode", records, _by_article), Article)
    op.output("nowhere", articles, Nowhere())
    recovery = run.folder / "recovery"
    recovery.mkdir()
    init_db_dir(recovery, 1)
    Article.stopwatch = Stopwatch(run)
    run_main(flow, epoch_interval=SNAPSHOT_EVERY, recovery_config=RecoveryConfig(recovery))
    Article.stopwatch.stop()(Article.totals()).give(run)


def _by_article(messages: list[KafkaSourceMessage[bytes, bytes]]) -> Iterable[tuple[str, LinkEvent]]:
    decode = codec.links.decode
    for message in messages:
        try:
            event = decode(message.value)
        except Rejected:
            continue
        yield event.url_to, event


if __name__ == "__main__":
    main(Run.from_environment())
