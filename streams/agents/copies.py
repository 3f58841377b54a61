"""Joins copies of the state of former addresses, which other partitions send, to the articles that moved here."""

import msgspec

from flatline.agents.record_agent import RecordAgent
from flatline.domain.state.article import Article, UnknownFormatError
from flatline.engine.log import MicroBatch, Record
from flatline.engine.partition import Partition, part_of
from flatline.schema.rejection import Reason, Rejected


class CopyAgent(RecordAgent):
    """Joins copies of changelog records. They are never behind what they are joined to, or else change nothing."""

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch."""
        for record in batch.records:
            if record.value is None:
                continue
            try:
                self._take(record, batch, partition, now_ms)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)

    def _take(self, record: Record, batch: MicroBatch, partition: Partition, now_ms: int) -> None:
        key, low = part_of(record.key or b"")
        if not key:
            raise Rejected(Reason.INVALID_VALUE, "the key is none of an article's")
        try:
            copy = Article.decode_part(key, low, record.value or b"")
        except UnknownFormatError as error:
            raise Rejected(Reason.UNSUPPORTED_VERSION, str(error)) from None
        except (ValueError, msgspec.DecodeError, OverflowError) as error:
            raise Rejected(Reason.INVALID_VALUE, f"not a part of an article's state: {error}") from None
        article = partition.get(key)
        if article is None:
            article = partition.create(key, now_ms=now_ms)
            article.header.is_copy = self._belongs_elsewhere(key, batch)
        if article.join_part(copy):
            partition.touch(article)
