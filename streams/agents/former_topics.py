"""Records of the topics of a former layout, each to the partition of its article in the layout that serves."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from time import monotonic
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from flatline.agents.record_agent import rejection_of
from flatline.domain.urls.canonical import article_key
from flatline.engine.kafka_log import KafkaForwarder
from flatline.engine.log import Outgoing, Record
from flatline.kafka.cluster import AsyncConsumer, KafkaCluster
from flatline.kafka.skipped_batch import SkippedBatch
from flatline.schema import codec
from flatline.schema.dead_letter import dead_letter
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.topics import Topic, Topics

RETRY_S: Final = 2.0
SAID_EVERY_S: Final = 60.0
POLL_MS: Final = 1_000
RECORDS_AT_ONCE_MAX: Final = 5_000
RECORD_BYTES_SENT_MAX: Final = 900_000
KEY_BYTES_MAX: Final = 65_536

log = logging.getLogger("flatline.follow")

Routes = Mapping[str, Callable[[Iterable[Record], int], Iterator[Outgoing]]]
"""By the name of a former topic: what makes of its records, and of their partition, the records to be written."""


def group_of(topics: Topics) -> str:
    """Return the consumer group whose offsets say how far former topics have been copied."""
    return f"{topics.namespace}.follow"


def routes(former: Topics, topics: Topics) -> Routes:
    """Return what is made of the records of each former topic that producers write to."""
    urls: dict[tuple[Topic, Topic], Callable[[bytes | None], str]] = {
        (former.links, topics.links): lambda value: codec.links.decode(value).url_to,
        (former.articles, topics.articles): lambda value: codec.articles.decode(value).url,
        (former.visits, topics.visits): lambda value: codec.visits.decode(value).url,
        (former.removals, topics.removals): lambda value: codec.removals.decode(value).url,
    }
    return {source.name: _route(source, target, topics, url_of) for (source, target), url_of in urls.items()}


def routes_of_verdicts(former: Topics, topics: Topics) -> Routes:
    """Return what is made of what workers said: their keys are right."""
    pairs = (former.verdicts, topics.verdicts), (former.groups, topics.groups)
    return {source.name: _route(source, target, topics, None) for source, target in pairs}


def _route(
    source: Topic, target: Topic, topics: Topics, url_of: Callable[[bytes | None], str] | None
) -> Callable[[Iterable[Record], int], Iterator[Outgoing]]:
    """Return what sends records to the partitions of their articles, or of their keys where they name none.

    A key may be of another spelling and have lain on the right partition by chance: it would not do so again.
    """

    def outgoing(records: Iterable[Record], partition: int) -> Iterator[Outgoing]:
        for record in records:
            if isinstance(record, SkippedBatch):
                rejected = Rejected(Reason.TOO_LONG, record.detail)
                yield dead_letter_of(rejected, record, TopicPartition(source.name, partition), topics)
                continue
            key = record.key
            if url_of is not None and record.value is not None:
                try:
                    key = article_key(url_of(record.value), field="url")
                except Rejected:
                    key = record.key
            number = partition % target.partitions if key is None else partition_of(key, target.partitions)
            yield _that_fits(Outgoing(target.name, number, key, record.value, record.timestamp, record.headers))

    return outgoing


def _that_fits(record: Outgoing) -> Outgoing:
    """Cut what came compressed and is longer than a topic takes: it is too long to be read in any case."""
    headers_bytes = sum(len(name) + len(word or b"") for name, word in record.headers)
    if len(record.value or b"") + len(record.key or b"") + headers_bytes <= RECORD_BYTES_SENT_MAX:
        return record
    value = record.value and record.value[: RECORD_BYTES_SENT_MAX // 2]
    return record._replace(value=value, headers=(), key=None if len(record.key or b"") > KEY_BYTES_MAX else record.key)


def dead_letter_of(rejected: Rejected, record: Record, lay: TopicPartition, topics: Topics) -> Outgoing:
    """Return the dead letter of a record of a former topic that is not sent on."""
    origin: dict[str, str | int] = {
        "topic": lay.topic,
        "partition": lay.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp,
    }
    letter = dead_letter(rejected, origin=origin, key=record.key, value=record.value)
    return Outgoing(topics.dead_letters.name, 0, letter.key, letter.value, headers=letter.headers)


class FormerTopicForwarder:
    """Sends on what producers still write to former topics, for as long as they do; all workers share that.

    A record is sent on before its offset is committed: one that comes twice is counted once.
    """

    def __init__(self, *, cluster: KafkaCluster, topics: Topics, routes: Routes) -> None:
        self._cluster = cluster
        self._topics = topics
        self._group = group_of(topics)
        self._routes = routes
        self._sent_on: Counter[str] = Counter()
        self._said_s = -SAID_EVERY_S

    async def run(self) -> None:
        """Follow for ever. A broker out of reach is tried again."""
        while True:
            try:
                await self._follow()
            except (KafkaError, IllegalStateError) as error:
                log.warning("former topics can't be followed, trying again in %s s: %s", RETRY_S, error)
                await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        forwarder = KafkaForwarder(self._cluster)
        consumer = self._cluster.async_consumer(
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
        )
        try:
            await consumer.start()
            existing = self._routes.keys() & await consumer.topics()
            consumer.subscribe(topics=list(existing))
            while existing:
                await self._send_on(consumer, forwarder)
            await asyncio.Event().wait()  # they were deleted: nobody writes to them
        finally:
            await consumer.stop()
            await forwarder.close()

    def _say(self, topic: str, records: int) -> None:
        self._sent_on[topic] += records
        if monotonic() - self._said_s > SAID_EVERY_S:
            log.warning("producers still write to former topics; records that were sent on: %s", dict(self._sent_on))
            self._said_s = monotonic()
            self._sent_on.clear()

    async def _send_on(self, consumer: AsyncConsumer, forwarder: KafkaForwarder) -> None:
        fetched = await consumer.getmany(timeout_ms=POLL_MS, max_records=RECORDS_AT_ONCE_MAX)
        for tp, records in fetched.items():
            sent = list(self._routes[tp.topic](records, tp.partition))  # one for each record
            refused = {id(each.record): each for each in await forwarder.forward(sent)}
            letters = [
                dead_letter_of(rejection_of(refused[id(outgoing)]), record, tp, self._topics)
                for record, outgoing in zip(records, sent, strict=True)
                if id(outgoing) in refused
            ]
            if letters and (lost := await forwarder.forward(letters)):
                log.error("%d dead letters are too long for their topic, and lost", len(lost))
            self._say(tp.topic, len(records))
            try:
                await consumer.commit({tp: records[-1].offset + 1})
            except CommitFailedError:
                log.info("the group was rebalanced: they may be sent on again")
