"""Copies the records of one layout of topics into another, each exactly once."""

from collections.abc import Callable, Iterable
from typing import Protocol

from flatline.agents.former_topics import Routes, group_of, routes, routes_of_verdicts
from flatline.engine.kafka_log import KafkaChangelog
from flatline.engine.log import Offset, Outgoing
from flatline.kafka.cluster import KafkaCluster
from flatline.rebuild.extent import Committed, committed_by, ends_of, log_of
from flatline.rebuild.log_reader import read_log
from flatline.schema.topics import Topic, Topics


class Rewriting(Protocol):
    """What becomes of records while they are copied."""

    def rewritten(self, record: Outgoing) -> Outgoing | None:
        """Return what is to be written in place of a record; None: nothing."""

    def mentions(self, data: bytes | None) -> bool:
        """Whether a key is one of those that must not be written any more."""


class Copier:
    """Copies from where the last copier, or the workers that follow the former topics, stopped.

    ``on_records`` is called with the number of records of each batch. ``rewriting``: what becomes of each record.
    """

    def __init__(
        self,
        *,
        cluster: KafkaCluster,
        former: Topics,
        on_records: Callable[[int], None],
        rewriting: Rewriting | None = None,
    ) -> None:
        self._cluster = cluster
        self._former = former
        self._group = group_of(former)
        self._on_records = on_records
        self._rewriting = rewriting

    async def copy_log(self, topics: Topics, limits: Committed) -> None:
        """Copy the log up to the limits. Raises KafkaError, and FencedError if another process copies."""
        await self._copy(routes(self._former, topics), log_of(self._former), limits)

    async def copy_verdicts(self, topics: Topics) -> None:
        """Copy the verdicts on articles and groups. Raises KafkaError, and FencedError if another process copies."""
        said = (self._former.verdicts, self._former.groups)
        await self._copy(routes_of_verdicts(self._former, topics), said, ends_of(said, cluster=self._cluster))

    async def _copy(self, routes: Routes, topics: tuple[Topic, ...], limits: Committed) -> None:
        """Copy every partition from the committed offset on. Records and offsets are written in one transaction."""
        positions = committed_by(self._group, topics, cluster=self._cluster)
        # No changelog is written: it is the transactions that are wanted, and one writer a partition.
        name = f"{self._group}.r{self._former.layout.number}"
        transactions = KafkaChangelog(name, group=self._group, cluster=self._cluster)
        for number in range(self._former.layout.partitions):
            writer = await transactions.fence(number)
            try:
                begin = positions.of(number)
                end = {topic: limit for topic, limit in limits.of(number).items() if topic in begin}
                async for batch in read_log(number, positions=begin, limits=end, cluster=self._cluster):
                    records = self._rewritten(routes[batch.topic](batch.records, number))
                    await writer.commit(records, {batch.topic: Offset(batch.next_offset)})
                    self._on_records(len(batch.records))
            finally:
                await writer.close()

    def _rewritten(self, records: Iterable[Outgoing]) -> Iterable[Outgoing]:
        if (rewriting := self._rewriting) is None:
            return records
        return (each for record in records if (each := rewriting.rewritten(record)) is not None)
