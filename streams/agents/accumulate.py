"""Link events into articles."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from xxhash import xxh3_64_intdigest

from streams.domain.event_time import event_time
from streams.domain.link import rel_flags
from streams.domain.urls import InvalidUrl, canonicalize, referring_domain
from streams.engine.batch_writer import Outgoing
from streams.engine.micro_batch import Record
from streams.engine.partition import Partition
from streams.metrics import WorkerMetrics
from streams.schema import codec, dead_letter
from streams.schema.partitioning import partition_of
from streams.schema.rejection import Reason, Rejected
from streams.schema.topics import Topics

_TARGETS_CACHED: Final = 16_384


def article_key(url: str, *, field: str) -> bytes:
    """Return the article key of a URL; raise `Rejected` naming the field."""
    return _canonical(url, field=field).encode()


def _canonical(url: str, *, field: str) -> str:
    try:
        return canonicalize(url)
    except InvalidUrl as error:
        raise Rejected(Reason.INVALID_URL, f"{field}: {error}") from None


# The same article is linked to many times; a referring page seldom links twice.
_target_key = lru_cache(_TARGETS_CACHED)(lambda url: article_key(url, field="url_to"))


class Accumulate:
    """Applies micro-batches of link records to a partition."""

    def __init__(self, *, topics: Topics, send: Callable[[Outgoing], None], metrics: WorkerMetrics) -> None:
        self._topics = topics
        self._send = send
        self._metrics = metrics

    def apply(self, records: Sequence[Record], partition: Partition, *, now_ms: int) -> None:
        """Apply every record: to an article, to the dead letters, or on to the partition where it belongs."""
        for record in records:
            try:
                self._apply(record, partition, now_ms)
            except Rejected as rejected:
                self._send(dead_letter_of(record, rejected, self._topics))
                self._metrics.dead_letters.labels(record.topic, rejected.reason).inc()

    def _apply(self, record: Record, partition: Partition, now_ms: int) -> None:
        event = codec.links.decode(record.value)
        key = _target_key(event.url_to)
        url_from = _canonical(event.url_from, field="url_from")
        if key not in partition and is_misplaced(key, record, self._topics):
            self._send(forwarded(key, record, self._topics))
            self._metrics.forwarded.labels(record.topic).inc()
            return
        when = event_time(event, recorded_ms=record.timestamp)
        article = partition.open(key, now_ms=now_ms)
        effect = article.see(
            url_from=xxh3_64_intdigest(url_from.encode()),
            domain=xxh3_64_intdigest(referring_domain(url_from).encode()),
            gained=event.change == "gained",
            at_ms=when.at_ms,
            organic=event.discovery == "link_found",
            rel=rel_flags(event.rel) if event.rel else 0,
            source=event.source,
        )
        if article.is_changed:
            partition.touch(key)
        self._metrics.count_event(event.source, effect)
        if when.is_clamped:
            self._metrics.event_time_clamped.inc()


def is_misplaced(key: bytes, record: Record, topics: Topics) -> bool:
    """Whether a record with this article key belongs on another partition: its producer hashed other bytes."""
    return partition_of(key, topics.links.partitions) != record.partition


def forwarded(key: bytes, record: Record, topics: Topics) -> Outgoing:
    """Return the record as it must be sent on: rightly keyed, its time and bytes untouched."""
    target = partition_of(key, topics.links.partitions)
    return Outgoing(record.topic, target, key, record.value, record.timestamp, record.headers)


def dead_letter_of(record: Record, rejected: Rejected, topics: Topics) -> Outgoing:
    """Return the dead letter of a record: its bytes untouched, its coordinates and the reason in the headers."""
    origin: dict[str, str | int] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp,
    }
    headers = dead_letter.headers(rejected, origin=origin)
    return Outgoing(topics.dead_letters.name, 0, record.key, record.value or b"", record.timestamp, headers)
