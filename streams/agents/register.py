"""Article records into the registration of their articles."""

from streams.agents.intake import Intake
from streams.domain.article import Registration, registration_of
from streams.domain.urls import article_key
from streams.engine.log import MicroBatch, Record
from streams.engine.partition import Partition
from streams.schema import codec
from streams.schema.rejection import Rejected


class Register(Intake):
    """Applies article records; a tombstone takes the registration back."""

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch."""
        for record in batch.records:
            try:
                self._take(record, batch, partition, now_ms)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)

    def _take(self, record: Record, batch: MicroBatch, partition: Partition, now_ms: int) -> None:
        if record.value is None and record.key is not None:
            if record.key in partition:
                self._set(partition, record.key, Registration(recorded_ms=record.timestamp), now_ms)
            return
        article = codec.articles.decode(record.value)
        key = article_key(article.url, field="url")
        if self._belongs_elsewhere(key, batch):
            self._send_on(key, record, batch, partition)
            return
        self._set(partition, key, registration_of(article, recorded_ms=record.timestamp), now_ms)

    @staticmethod
    def _set(partition: Partition, key: bytes, registration: Registration, now_ms: int) -> None:
        """Register, unless something newer is registered: a record that was sent on comes late."""
        article = partition.get(key) or partition.create(key, now_ms=now_ms)
        if registration.recorded_ms >= article.header.registration.recorded_ms:
            article.header.registration = registration
            partition.touch(article)
