"""Link events into articles. Everything here happens for each event: what can be done once a batch is."""

from collections import defaultdict
from typing import Final

from streams.agents.intake import Intake
from streams.domain import link
from streams.domain.article import Article, Sighting
from streams.domain.event_time import EARLIEST_MS, LATEST_MS, possible_ms, stated_ms
from streams.domain.link import Effect, rel_flags
from streams.domain.quality.marks import marks_of
from streams.domain.referrer import referrer
from streams.domain.urls import article_key
from streams.engine.micro_batch import MicroBatch, Record
from streams.engine.partition import Partition
from streams.schema import codec
from streams.schema.rejection import Rejected

URLS_REMEMBERED: Final = 65_536


class Accumulate(Intake):
    """Applies link records to their articles."""

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch, article by article: what is known of one has to be fetched only once then."""
        decode, by_url = codec.links.decode, partition.by_url
        sightings: defaultdict[Article, list[Sighting]] = defaultdict(list)
        clamped = 0
        for record in batch.records:
            try:
                event = decode(record.value)
                page, domain = referrer(event.url_from)
                article = by_url.get(event.url_to) or self._article(event.url_to, record, batch, partition, now_ms)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)
                continue
            if article is None:
                continue
            at_ms = stated_ms(event, recorded_ms=record.timestamp)
            if not EARLIEST_MS <= at_ms <= record.timestamp <= LATEST_MS:
                clamped += 1
                at_ms = possible_ms(at_ms, recorded_ms=record.timestamp)
            marks, is_gained = link.ORGANIC if event.discovery == "link_found" else 0, event.change == "gained"
            if is_gained:
                marks |= marks_of(event)
                if event.rel:
                    marks |= rel_flags(event.rel)
            sightings[article].append((page, domain, is_gained, at_ms, marks, event.source))
        effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
        for article, seen in sightings.items():
            if article.see(seen, effects) and not article.is_dirty:
                partition.touch(article)
        self._metrics.count_events(effects)
        self._metrics.event_time_clamped.inc(clamped)

    def _article(
        self, url_to: str, record: Record, batch: MicroBatch, partition: Partition, now_ms: int
    ) -> Article | None:
        """Return the article at a URL, made when it is not known; None when the record was sent on. Raises Rejected."""
        key = article_key(url_to, field="url_to")
        article = partition.get(key)
        if article is None:
            if self._belongs_elsewhere(key, batch):
                self._send_on(key, record, batch, partition)
                return None
            article = partition.create(key, now_ms=now_ms)
        if len(partition.by_url) >= URLS_REMEMBERED:
            partition.by_url.clear()
        partition.by_url[url_to] = article
        return article
