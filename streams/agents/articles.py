"""Applies article records to the registrations of their articles."""

from collections.abc import Iterator

from flatline.agents.record_agent import RecordAgent
from flatline.domain.state.article import Registration, registration_of
from flatline.domain.state.moves import Address, Rule, key_of, move_of
from flatline.domain.time import check_record_time, to_datetime
from flatline.domain.urls.canonical import absolute, article_key
from flatline.engine.log import MicroBatch, Outgoing, Record
from flatline.engine.partition import Partition
from flatline.schema import codec
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.removal import Removal


class ArticleAgent(RecordAgent):
    """Applies article records. Aliases become moves, and a tombstone becomes a removal, wherever it lies."""

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch."""
        for record in batch.records:
            try:
                if record.value is None and record.key is not None:
                    self._remove(record.key, record, batch, partition)
                else:
                    self._register(record, batch, partition, now_ms)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)

    def _remove(self, spelled: bytes, record: Record, batch: MicroBatch, partition: Partition) -> None:
        """Write the removal that a tombstone stands for: compaction forgets tombstones after a while."""
        check_record_time(record.timestamp)
        try:
            key = article_key(absolute(spelled.decode(), field="key"), field="key")
        except UnicodeDecodeError:
            raise Rejected(Reason.INVALID_URL, "key: not an absolute URL") from None
        removal = codec.removals.encode(Removal(key.decode(), to_datetime(record.timestamp)))
        topic = self._topics.removals
        outgoing = Outgoing(topic.name, partition_of(key, topic.partitions), key, removal, record.timestamp)
        self._forward(outgoing, record, batch, partition)

    def _register(self, record: Record, batch: MicroBatch, partition: Partition, now_ms: int) -> None:
        article_record = codec.articles.decode(record.value)
        key = article_key(article_record.url, field="url")
        # Before it is sent on: what can't be taken there is said here.
        registration = registration_of(article_record, recorded_ms=record.timestamp)
        if self._belongs_elsewhere(key, batch):
            self._send_on(key, record, batch, partition)
            return
        article = partition.get(key) or partition.create(key, now_ms=now_ms)
        before = article.header.registration
        if article.register(registration):
            partition.touch(article)
        after = article.header.registration
        if (after.recorded_ms, after.aliases) == (registration.recorded_ms, registration.aliases):
            for move in _moves_of(key.decode(), before, after, topic=self._topics.moves.name):
                self._forward(move, record, batch, partition)


def _moves_of(key: str, before: Registration, after: Registration, *, topic: str) -> Iterator[Outgoing]:
    """Yield what has all workers know the former addresses of an article. What was written already does no harm."""
    for alias in {*before.aliases, *after.aliases} - {key}:
        is_undone = alias not in after.aliases
        old, new = Address(alias, is_below=False), Address(key, is_below=False)
        rule = Rule(old, new, after.recorded_ms, is_undone, is_alias=True)
        yield Outgoing(topic, 0, key_of(rule), codec.moves.encode(move_of(rule)))
