"""Applies removals to their articles."""

from flatline.agents.record_agent import RecordAgent
from flatline.domain.time import check_record_time, clamped_ms, to_ms
from flatline.domain.urls.canonical import article_key
from flatline.engine.log import MicroBatch, Record
from flatline.engine.partition import Partition
from flatline.schema import codec
from flatline.schema.rejection import Rejected


class RemovalAgent(RecordAgent):
    """Applies removals. One that comes before the events that it covers waits for them."""

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch."""
        for record in batch.records:
            if record.value is None:
                continue  # a removal is not taken back
            try:
                self._take(record, batch, partition, now_ms)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)

    def _take(self, record: Record, batch: MicroBatch, partition: Partition, now_ms: int) -> None:
        check_record_time(record.timestamp)
        removal = codec.removals.decode(record.value)
        key = article_key(removal.url, field="url")
        if self._belongs_elsewhere(key, batch):
            self._send_on(key, record, batch, partition)
            return
        article = partition.get(key) or partition.create(key, now_ms=now_ms)
        if article.remove(clamped_ms(to_ms(removal.removed_at), recorded_ms=record.timestamp)):
            partition.touch(article)
