"""Link events into articles. Everything here happens for each event: what can be done once a batch is."""

from collections import defaultdict
from typing import Final

from streams.agents.intake import Intake
from streams.domain import link
from streams.domain.event_time import possible_ms, stated_ms
from streams.domain.link import Effect, rel_flags
from streams.domain.referrer import referrer
from streams.domain.urls import article_key
from streams.engine.micro_batch import MicroBatch
from streams.engine.partition import Partition
from streams.metrics import WorkerMetrics
from streams.schema import codec
from streams.schema.rejection import Rejected
from streams.schema.topics import Topics

_TARGETS_CACHED: Final = 131_072


class Accumulate(Intake):
    """Applies link records to their articles."""

    def __init__(self, *, topics: Topics, metrics: WorkerMetrics) -> None:
        super().__init__(topics=topics, metrics=metrics)
        # The same article is linked to many times; a referring page seldom links twice.
        self._keys: dict[str, bytes] = {}

    def _key(self, url_to: str) -> bytes:
        """Return the article key, and remember it. Raises Rejected."""
        key = article_key(url_to, field="url_to")
        if len(self._keys) >= _TARGETS_CACHED:
            self._keys.clear()
        self._keys[url_to] = key
        return key

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch."""
        decode, dirty = codec.links.decode, partition.dirty
        keys = self._keys
        effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
        clamped = 0
        for record in batch.records:
            try:
                event = decode(record.value)
                key = keys.get(event.url_to) or self._key(event.url_to)
                page, domain = referrer(event.url_from)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)
                continue
            article = partition.get(key)
            if article is None:
                if self._belongs_elsewhere(key, batch):
                    self._send_on(key, record, batch, partition)
                    continue
                article = partition.create(key, now_ms=now_ms)
            when_ms = stated_ms(event, recorded_ms=record.timestamp)
            at_ms = possible_ms(when_ms, recorded_ms=record.timestamp)
            clamped += at_ms != when_ms
            flags = link.ORGANIC if event.discovery == "link_found" else 0
            if event.rel:
                flags |= rel_flags(event.rel)
            effect, is_news = article.see(
                page, domain, gained=event.change == "gained", at_ms=at_ms, flags=flags, source=event.source
            )
            if is_news:
                dirty[key] = article
            effects[event.source, effect] += 1
        self._metrics.count_events(effects)
        self._metrics.event_time_clamped.inc(clamped)
