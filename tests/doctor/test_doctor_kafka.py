import socket
import time
from collections.abc import Iterator
from contextlib import closing
from types import SimpleNamespace

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.structs import OffsetAndMetadata

from flatline.admin.topics import ensure_topics
from flatline.doctor import lag
from flatline.doctor.check_result import CheckResult, Sign
from flatline.doctor.kafka import examine_kafka
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topics
from flatline.settings import Settings
from tests.waiting import until


def by_name(settings: Settings) -> dict[str, CheckResult]:
    """Return what is found of Kafka, by what was looked at."""
    return {finding.what: finding for finding in examine_kafka(settings)}


@pytest.fixture
def settings(kafka_bootstrap: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return those of an installation whose topics are there and empty."""
    monkeypatch.setattr(lag, "_PROGRESS_WITHIN_S", 2.0)
    ensure_topics(KafkaCluster(kafka_bootstrap), Topics(namespace=namespace, partitions=2).all())
    return Settings(kafka_bootstrap=kafka_bootstrap, namespace=namespace, partitions=2)


@pytest.fixture
def links(settings: Settings) -> str:
    """Return the topic of links."""
    return Topics(namespace=settings.namespace).links.name


@pytest.fixture
def member(settings: Settings, links: str) -> Iterator[KafkaConsumer]:
    """Return the only member of the workers' group; it commits when it is told to."""
    consumer = KafkaConsumer(
        links,
        bootstrap_servers=settings.kafka_bootstrap,
        group_id=settings.namespace,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    with closing(consumer):
        while not consumer.assignment():
            consumer.poll(timeout_ms=200)
        yield consumer


def send(settings: Settings, topic: str, count: int, *, in_transactions: bool = False) -> None:
    """Write records to the topic's first partition."""
    transactional = {"transactional_id": f"{settings.namespace}-test"} if in_transactions else {}
    with closing(KafkaProducer(bootstrap_servers=settings.kafka_bootstrap, **transactional)) as producer:
        if in_transactions:
            producer.init_transactions()
        for _ in range(count):
            if in_transactions:
                producer.begin_transaction()
            producer.send(topic, b"{}", partition=0).get(timeout=30)
            if in_transactions:
                producer.commit_transaction()


def test_a_topic_with_another_setting_is_named(settings: Settings, links: str) -> None:
    """The line has the topic, what it has, what it should have; the last one how to mend it."""
    resource = ConfigResource(ConfigResourceType.TOPIC, links, configs={"max.message.bytes": "1000"})
    with KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap) as admin:
        admin.alter_configs([resource])
    until("brokers know of it", lambda: by_name(settings)["topics"].sign == Sign.WRONG)
    found = by_name(settings)["topics"]
    different, remedy = found.says.splitlines()
    assert different.startswith(f"{links} has max.message.bytes=1000; it should be")
    assert "`flatline topics alter`" in remedy


def test_records_that_nobody_reads_are_wrong(settings: Settings, links: str) -> None:
    """Without a worker the group is empty, and each partition with a lag has a line."""
    assert by_name(settings)["consumer lag"] == CheckResult.fine("consumer lag", "no record waits")
    send(settings, links, 3)
    found = by_name(settings)
    assert found["consumer group"].sign == found["consumer lag"].sign == Sign.WRONG
    assert "start a worker" in found["consumer group"].says
    assert f"{links} 0: 3 (0 of 3 read)" in found["consumer lag"].says


def test_a_member_that_commits_nothing_is_wrong(settings: Settings, links: str, member: KafkaConsumer) -> None:
    """Being in the group is no progress; and what is committed up to the end is none that waits."""
    send(settings, links, 3)
    found = by_name(settings)
    assert found["consumer group"].says == f"{settings.namespace} has 1 member"
    assert found["consumer lag"].sign == Sign.WRONG
    assert "None was read within 2 s" in found["consumer lag"].says

    read = 0
    while read < 3:
        read += sum(map(len, member.poll(timeout_ms=200).values()))
    member.commit()
    assert by_name(settings)["consumer lag"].sign == Sign.FINE


def test_progress_is_worth_a_look_until_all_is_read(
    settings: Settings, links: str, member: KafkaConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that are being worked off are normal after an import; ones that are read at once are normal always."""
    send(settings, links, 5)
    reads = [1, 1]

    def read_one_more(_seconds: float) -> None:
        if reads:
            reads.pop()
            polled = member.poll(timeout_ms=5_000, max_records=1)
            assert sum(map(len, polled.values())) == 1
            member.commit()

    # Not `time.sleep` itself: the threads of Kafka's clients sleep, too.
    monkeypatch.setattr(lag, "time", SimpleNamespace(monotonic=time.monotonic, sleep=read_one_more))
    monkeypatch.setattr(lag, "_PROGRESS_WITHIN_S", 1.0)
    found = by_name(settings)["consumer lag"]
    assert found.sign == Sign.LOOK
    assert "2 were read while we looked" in found.says

    reads.extend([1, 1, 1])
    assert by_name(settings)["consumer lag"].says == "records arrive and are read within seconds"


def test_marks_of_transactions_are_no_lag(settings: Settings, links: str, member: KafkaConsumer) -> None:
    """Each transaction leaves a mark that nobody commits past: a lag that stays, and that means nothing."""
    send(settings, links, 2, in_transactions=True)
    read = 0
    while read < 2:
        for records in member.poll(timeout_ms=200).values():
            read += len(records)
            last = records[-1].offset
    member.commit({TopicPartition(links, 0): OffsetAndMetadata(last + 1, "", -1)})
    found = by_name(settings)["consumer lag"]
    assert found.sign == Sign.FINE
    assert "1 offsets of the lag are a producer's transaction markers" in found.says


def test_a_kafka_that_is_silent_is_found_out() -> None:
    """Something listens and never answers: that is said within seconds."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        [found] = examine_kafka(Settings(kafka_bootstrap=f"127.0.0.1:{silent.getsockname()[1]}"))
    assert found.sign == Sign.WRONG
    assert "FLATLINE_KAFKA_BOOTSTRAP" in found.says
