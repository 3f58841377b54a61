"""The one producer: where records land, what they hold, and that none is lost in silence."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.schema import codec
from flatline.schema.dead_letter import VALUE_BYTES_MAX
from flatline.schema.partitioning import partition_of
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.topics import Topic, Topics
from flatline_connectors.sending.articles import from_texts
from flatline_connectors.sending.articles import prepare as prepare_article
from flatline_connectors.sending.delivery import RECORD_OVERHEAD_BYTES, Buffer, Deliveries, DeliveryFailed
from flatline_connectors.sending.links import prepare
from flatline_connectors.sending.producer import Producer
from tests.connectors.examples import ACCEPTED, key_of, link
from tests.integration.reading import read_all

NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000, UTC)
NOW_MS = 1_772_366_400_250


def now_ms() -> int:
    """Return a time that stands still."""
    return NOW_MS


def test_links_land_where_the_worker_expects_them(kafka_bootstrap: str, topics: Topics) -> None:
    """Every accepted example lands untouched, under its article's key, in the partition that the worker computes."""
    events = [*ACCEPTED.values(), *(link("https://a.example/", f"https://b.example/{n}") for n in range(200))]
    with Producer(KafkaCluster(kafka_bootstrap), topics, now_ms=now_ms) as producer:
        for event in events:
            producer.send_link(prepare(event))
    stored = read_all(kafka_bootstrap, topics.links)
    assert sorted(record.value or b"" for record in stored) == sorted(events)
    for record in stored:
        assert record.key == key_of(record.value or b"")
        assert record.partition == partition_of(record.key, topics.links.partitions)
    count = len(events)
    assert (producer.deliveries.sent, producer.deliveries.acknowledged, producer.deliveries.failed) == (count, count, 0)


def test_articles_are_keyed_like_their_links(kafka_bootstrap: str, topics: Topics) -> None:
    """An article's record has the key, and so the partition, of the links to it."""
    with Producer(KafkaCluster(kafka_bootstrap), topics, now_ms=now_ms) as producer:
        producer.send_article(prepare_article(from_texts({"url": "http://www.b.example/x/?utm_source=y", "tier": "1"})))
        producer.send_link(prepare(link("https://a.example/", "https://b.example/x")))
    (article,) = read_all(kafka_bootstrap, topics.articles)
    (event,) = read_all(kafka_bootstrap, topics.links)
    assert (article.key, article.partition) == (event.key, event.partition) == (b"https://b.example/x", event.partition)


def test_heartbeats_tell_the_time_of_the_clock(kafka_bootstrap: str, topics: Topics) -> None:
    """A heartbeat is sent at the clock's time; without seen_until that is what it has seen, without period the end."""
    with Producer(KafkaCluster(kafka_bootstrap), topics, now_ms=now_ms) as producer:
        producer.heartbeat("import")
        producer.heartbeat("a-crawler", NOW - timedelta(hours=1), period_s=60, pages_seen=5, errors=1)
    first, second = (codec.heartbeats.decode(record.value) for record in read_all(kafka_bootstrap, topics.heartbeats))
    assert (first.source, first.sent_at, first.seen_until, first.period_s) == ("import", NOW, NOW, None)
    assert (second.source, second.seen_until, second.period_s) == ("a-crawler", NOW - timedelta(hours=1), 60)
    assert (second.pages_seen, second.errors) == (5, 1)
    assert [record.key for record in read_all(kafka_bootstrap, topics.heartbeats)] == [b"import", b"a-crawler"]


def test_dead_letters_are_untouched(kafka_bootstrap: str, topics: Topics) -> None:
    """A dead letter has the very bytes, and headers that say what was wrong and where; what no topic takes is cut."""
    rejected = Rejected(Reason.TOO_LONG, "too much")
    with Producer(KafkaCluster(kafka_bootstrap), topics, now_ms=now_ms) as producer:
        producer.send_dead_letter(b"\xff\x00", rejected, origin={"file": "é", "line": 7})
        producer.send_dead_letter(b"a" * 3_000_000, rejected, origin={"source": "x", "http_index": 0})
    small, large = read_all(kafka_bootstrap, topics.dead_letters)
    assert small.value == b"\xff\x00"
    assert small.headers == {"reason": "too_long", "detail": "too much", "file": "é", "line": "7"}
    assert large.value == b"a" * VALUE_BYTES_MAX
    assert large.headers["cut_at_bytes"] == str(VALUE_BYTES_MAX)


def test_the_buffer_is_bounded(kafka_bootstrap: str, topics: Topics) -> None:
    """Who sends faster than Kafka takes waits: never is more than one record beyond the limit on its way."""
    limit, sizes = 50 * RECORD_OVERHEAD_BYTES, []
    with Producer(
        KafkaCluster(kafka_bootstrap), topics, now_ms=now_ms, linger_ms=1, buffer_bytes_max=limit
    ) as producer:
        for number in range(2000):
            event = prepare(link("https://a.example/", f"https://b.example/{number}"))
            producer.send_link(event)
            sizes.append(producer._buffer.bytes)
    assert max(sizes) < limit + RECORD_OVERHEAD_BYTES + len(event.value)
    assert max(sizes) > limit // 2
    assert producer._buffer.bytes == 0
    assert len(read_all(kafka_bootstrap, topics.links)) == 2000


class Narrow(Topic):
    """A topic that takes small records only."""

    def config(self) -> Mapping[str, str]:
        """Return the topic's settings, with a limit."""
        return {**super().config(), "max.message.bytes": "500"}


def test_a_failed_delivery_is_raised_by_the_next_call(kafka_bootstrap: str, namespace: str) -> None:
    """What the broker refuses fails the next call and the flush, with topic and cause; other deliveries don't care."""
    topics = Topics(namespace=namespace, partitions=3)
    narrow = Narrow(**vars(topics.links))
    ensure_topics(KafkaCluster(kafka_bootstrap), [topic if topic != topics.links else narrow for topic in topics.all()])
    producer = Producer(KafkaCluster(kafka_bootstrap), topics, now_ms=now_ms)
    others = producer.new_deliveries()
    small = prepare(link("https://a.example/", "https://b.example/"))
    producer.send_link(prepare(link("https://a.example/", "https://b.example/", context="x" * 500)))
    assert producer.deliveries.wait(20)
    with pytest.raises(DeliveryFailed, match=rf"{narrow.name}: .*MessageSizeTooLarge") as failure:
        producer.send_link(small)
    assert failure.value.topic == narrow.name
    producer.send_link(small, deliveries=others)
    assert others.wait(20)
    with pytest.raises(DeliveryFailed), producer:
        pass
    assert (others.acknowledged, others.failure) == (1, None)
    assert [record.value for record in read_all(kafka_bootstrap, topics.links)] == [small.value]


def test_a_record_that_no_broker_takes_fails_at_once(kafka_bootstrap: str, topics: Topics) -> None:
    """What is too large for any request is raised by the call that sends it."""
    event = prepare(link("https://a.example/", "https://b.example/"))._replace(value=b"a" * 2_000_000)
    producer = Producer(KafkaCluster(kafka_bootstrap), topics, now_ms=now_ms)
    with pytest.raises(DeliveryFailed, match="MessageSizeTooLarge"), producer:
        producer.send_link(event)


class Acknowledged:
    """Kafka's word for a record of ten bytes."""

    serialized_value_size = 10


def test_deliveries_call_back_once_when_all_is_settled() -> None:
    """The callback comes with the last acknowledgement or failure, whichever threads they come on, and only once."""
    buffer, calls = Buffer(bytes_max=1_000_000), []
    deliveries = Deliveries(buffer)
    for _ in range(400):
        deliveries.expect(10)
    deliveries.when_settled(lambda: calls.append(deliveries.is_settled))

    def report() -> None:
        for number in range(100):
            if number % 10:
                deliveries.acknowledge(Acknowledged)
            else:
                deliveries.fail("a-topic", 10, OSError("gone"))

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [True]
    assert (deliveries.acknowledged, deliveries.failed, buffer.bytes) == (360, 40, 0)
    with pytest.raises(DeliveryFailed, match="a-topic: gone"):
        deliveries.raise_failure()
    deliveries.when_settled(lambda: calls.append(False))
    assert calls == [True, False]
