"""Link events into articles. Everything here happens for each event: what can be done once a batch is."""

from collections import Counter, defaultdict
from typing import Final

from streams.agents.intake import Intake
from streams.domain.article import Article, Sighting
from streams.domain.event_flags import flags_of
from streams.domain.event_time import EARLIEST_MS, LATEST_MS, possible_ms, stated_ms
from streams.domain.ignoring import Ignored
from streams.domain.link import Effect
from streams.domain.referrer import referrer
from streams.domain.rhythm import DAY_MS
from streams.domain.sight.heard import report_of
from streams.domain.urls import article_key
from streams.engine.log import MicroBatch, Record
from streams.engine.partition import Partition
from streams.metrics import WorkerMetrics
from streams.schema import codec
from streams.schema.link_event import LinkEvent
from streams.schema.rejection import Rejected
from streams.schema.topics import Topics

URLS_REMEMBERED: Final = 65_536


class Accumulate(Intake):
    """Applies link records to their articles."""

    def __init__(self, *, topics: Topics, metrics: WorkerMetrics, ignored: Ignored | None = None) -> None:
        """Leave out the events that are ``ignored``."""
        super().__init__(topics=topics, metrics=metrics)
        self._ignored = ignored

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch, article by article: what is known of one has to be fetched only once then."""
        decode, by_url, ignored = codec.links.decode, partition.by_url, self._ignored
        effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
        sightings: defaultdict[Article, list[Sighting]] = defaultdict(list)
        # The last event of each source, but for imports: enough to learn of the source, at next to no cost an event.
        heard: dict[str | None, tuple[LinkEvent, Record]] = {}
        clamped: Counter[str | None] = Counter()
        day_ends_ms = 0
        for record in batch.records:
            try:
                event = decode(record.value)
                if ignored is not None and ignored.covers(event):
                    effects[event.source, Effect.IGNORED] += 1
                    continue
                page, domain = referrer(event.url_from)
                article = by_url.get(event.url_to) or self._article(event.url_to, record, batch, partition, now_ms)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)
                continue
            if article is None:
                continue
            at_ms = stated_ms(event, recorded_ms=record.timestamp)
            if not EARLIEST_MS <= at_ms <= record.timestamp <= LATEST_MS:
                clamped[event.source] += 1
                at_ms = possible_ms(at_ms, recorded_ms=record.timestamp)
            if record.timestamp >= day_ends_ms:  # a batch of days long gone may hold several
                _hear(heard, partition, now_ms=now_ms)
                day_ends_ms = record.timestamp // DAY_MS * DAY_MS + DAY_MS
            if event.discovery != "import":
                heard[event.source] = event, record
            sightings[article].append((page, domain, event.change == "gained", at_ms, flags_of(event), event.source))
        _hear(heard, partition, now_ms=now_ms)
        for article, seen in sightings.items():
            if article.see(seen, effects) and not article.is_dirty:
                partition.touch(article)
        self._metrics.count_events(effects)
        self._metrics.count_clamped(clamped)
        self._metrics.observe_latency([record.timestamp for record in batch.records[-1:]], now_ms=now_ms)

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


def _hear(heard: dict[str | None, tuple[LinkEvent, Record]], partition: Partition, *, now_ms: int) -> None:
    """Learn from events of named sources when these report, and how late; and forget the events."""
    for source, (event, record) in heard.items():
        known = None if source is None else partition.heard_of(source)
        report = report_of(event, recorded_ms=record.timestamp, now_ms=now_ms)
        if source and known and report and known.observe(report, offset=record.offset):
            partition.note_heard(source)
    heard.clear()
