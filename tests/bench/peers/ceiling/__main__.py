"""The ceiling of the Kafka client that Faust and we stand on: fetch, decode, forget."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition
from msgspec.json import Decoder

from flatline.schema.link_event import LinkEvent
from tests.bench.run import Run, Stopwatch


async def main(run: Run) -> None:
    """Read the topic to its end."""
    decode, stopwatch = Decoder(LinkEvent).decode, Stopwatch(run)
    async with AIOKafkaConsumer(bootstrap_servers=run.bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(run.topic, number) for number in range(run.partitions)])
        is_over = False
        while not is_over:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                for record in records:
                    decode(record.value)
                is_over = stopwatch.applied(len(records))
        stopwatch.stop()(None).give(run)


if __name__ == "__main__":
    asyncio.run(main(Run.from_environment()))
