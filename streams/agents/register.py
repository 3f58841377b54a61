"""Article records into the registration of their articles."""

from collections.abc import Callable, Sequence

from streams.agents.accumulate import article_key, dead_letter_of, forwarded, is_misplaced
from streams.domain.article import Registration
from streams.domain.event_time import to_ms
from streams.engine.batch_writer import Outgoing
from streams.engine.micro_batch import Record
from streams.engine.partition import Partition
from streams.metrics import WorkerMetrics
from streams.schema import codec
from streams.schema.rejection import Rejected
from streams.schema.topics import Topics


class Register:
    """Applies micro-batches of article records to a partition."""

    def __init__(self, *, topics: Topics, send: Callable[[Outgoing], None], metrics: WorkerMetrics) -> None:
        self._topics = topics
        self._send = send
        self._metrics = metrics

    def apply(self, records: Sequence[Record], partition: Partition, *, now_ms: int) -> None:
        """Apply every record; a tombstone takes the registration back."""
        for record in records:
            try:
                self._apply(record, partition, now_ms)
            except Rejected as rejected:
                self._send(dead_letter_of(record, rejected, self._topics))
                self._metrics.dead_letters.labels(record.topic, rejected.reason).inc()

    def _apply(self, record: Record, partition: Partition, now_ms: int) -> None:
        if record.value is None and record.key is not None:
            if record.key in partition:
                self._set(partition, record.key, Registration(recorded_ms=record.timestamp), now_ms)
            return
        article = codec.articles.decode(record.value)
        key = article_key(article.url, field="url")
        if is_misplaced(key, record, self._topics):
            self._send(forwarded(key, record, self._topics))
            self._metrics.forwarded.labels(record.topic).inc()
            return
        registration = Registration(
            title=article.title,
            author=article.author,
            series=article.series,
            strategy=article.strategy,
            tier=article.tier,
            published_ms=None if article.published_at is None else to_ms(article.published_at),
            recorded_ms=record.timestamp,
        )
        self._set(partition, key, registration, now_ms)

    @staticmethod
    def _set(partition: Partition, key: bytes, registration: Registration, now_ms: int) -> None:
        """Register, unless something newer is registered: a record that was sent on comes late."""
        header = partition.open(key, now_ms=now_ms).header
        if registration.recorded_ms >= header.registration.recorded_ms:
            header.registration = registration
            partition.touch(key)
