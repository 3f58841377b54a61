"""Saves positions and statuses of the connectors of one partition, as its only writer."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import xxhash
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

    def __init__(self, writer: Writer, topic: str, partition: int, saved: SavedRecords) -> None:
        """Save into a partition that holds what is ``saved``."""
        self._parts = {
            name: {key: _fingerprint(each) for key, each in parts.items()} for name, parts in saved.parts.items()
        }
        self._writer = writer
        self._topic = topic
        self._partition = partition
        self._one_at_a_time = asyncio.Lock()

    async def save_position(self, records: Sequence[ConnectorPosition]) -> None:
        """Return when Kafka has it: those of its parts that changed, and no others. Raise `NotSaved`."""
        position, *parts = records
        connector = position.connector
        known, by_key = self._parts.get(connector, {}), {_key_of(part): part for part in parts}
        present = {key: _fingerprint(part) for key, part in by_key.items()}
        changed = [(key, part) for key, part in by_key.items() if known.get(key) != present[key]]
        await self._save(
            {
                position_key(connector): codec.connector_positions.encode(position),
                **{position_key(connector, key): codec.connector_positions.encode(part) for key, part in changed},
                **{position_key(connector, key): None for key in known.keys() - present.keys()},
            }
        )
        self._parts[connector] = present

    async def save_status(self, status: ConnectorStatus) -> None:
        """Return when Kafka has it. Raise `NotSaved`."""
        await self._save({status_key(status.connector): codec.connector_statuses.encode(status)})

    async def _save(self, values: Mapping[bytes, bytes | None]) -> None:
        records = [Outgoing(self._topic, self._partition, key, value) for key, value in values.items()]
        async with self._one_at_a_time:
            try:
                await self._writer.commit(records, {})
            except (FencedError, KafkaError) as error:
                raise NotSaved(str(error)) from error


def _key_of(part: ConnectorPosition) -> str:
    assert part.part is not None
    return xxhash.xxh3_128_hexdigest("/".join(part.part).encode())


def _fingerprint(part: ConnectorPosition) -> bytes:
    return xxhash.xxh3_128_digest(bytes(part.state))


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
        yield PartitionSaving(writer, topics.connectors.name, partition, saved), saved
    finally:
        await writer.close()
