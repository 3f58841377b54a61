"""Saves positions and statuses of the connectors of one partition, as its only writer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from flatline.connect.saved import SavedRecords
from flatline.engine.kafka_log import KafkaChangelog
from flatline.engine.log import FencedError, Outgoing, Writer
from flatline.kafka.cluster import KafkaCluster
from flatline.schema import codec
from flatline.schema.connector_record import ConnectorPosition, ConnectorStatus, position_key, status_key
from flatline.schema.topics import Topics
from flatline_connectors.runtime.runner import NotSaved


class PartitionSaving:
    """Each save is a transaction: after another process took the partition over, it fails with a FencedError."""

    def __init__(self, writer: Writer, topic: str, partition: int) -> None:
        self._writer = writer
        self._topic = topic
        self._partition = partition
        self._one_at_a_time = asyncio.Lock()

    async def save_position(self, position: ConnectorPosition) -> None:
        """Return when Kafka has it. Raise `NotSaved`."""
        await self._save(position_key(position.connector), codec.connector_positions.encode(position))

    async def save_status(self, status: ConnectorStatus) -> None:
        """Return when Kafka has it. Raise `NotSaved`."""
        await self._save(status_key(status.connector), codec.connector_statuses.encode(status))

    async def _save(self, key: bytes, value: bytes) -> None:
        async with self._one_at_a_time:
            try:
                await self._writer.commit([Outgoing(self._topic, self._partition, key, value)], {})
            except (FencedError, KafkaError) as error:
                raise NotSaved(str(error)) from error


@asynccontextmanager
async def sole_writer(
    cluster: KafkaCluster, topics: Topics, partition: int
) -> AsyncIterator[tuple[PartitionSaving, SavedRecords]]:
    """Become the only writer of a partition, and read what is saved there. Raises KafkaError."""
    changelog = KafkaChangelog(topics.connectors.name, group=topics.connect_group, cluster=cluster)
    writer = await changelog.fence(partition)
    try:
        saved = SavedRecords()
        await changelog.restore(partition, saved.receive)
        yield PartitionSaving(writer, topics.connectors.name, partition), saved
    finally:
        await writer.close()
