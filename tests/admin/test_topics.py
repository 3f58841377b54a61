from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from flatline.admin.topics import TopicsError, alter_topics, check_topics, ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import DAY_MS, Topic, Topics
from tests.waiting import until


def create(bootstrap: str, topics: tuple[Topic, ...]) -> list[str]:
    """Create the topics with one copy, as on a single broker."""
    return ensure_topics(KafkaCluster(bootstrap), topics)


def test_topics_are_created_as_declared(kafka_bootstrap: str, namespace: str) -> None:
    """What the broker says about each topic is what its declaration says; a second time there is nothing to do."""
    topics = Topics(namespace=namespace, partitions=3).all()
    assert create(kafka_bootstrap, topics) == [topic.name for topic in topics]
    with KafkaAdminClient(bootstrap_servers=kafka_bootstrap) as admin:
        found = {topic["name"]: topic for topic in admin.describe_topics([topic.name for topic in topics])}
        for topic in topics:
            assert len(found[topic.name]["partitions"]) == topic.partitions
            resource = ConfigResource(ConfigResourceType.TOPIC, topic.name)
            config = admin.describe_configs([resource])["topic"][topic.name]
            assert topic.config().items() <= {name: entry["value"] for name, entry in config.items()}.items()
    assert create(kafka_bootstrap, topics) == []
    assert check_topics(KafkaCluster(kafka_bootstrap), topics) == []


def test_missing_topic_is_created_beside_the_others(kafka_bootstrap: str, namespace: str) -> None:
    """A topic that a later version brings is added to those that exist."""
    topics = Topics(namespace=namespace, partitions=2).all()
    create(kafka_bootstrap, topics[:-1])
    assert [each.says for each in check_topics(KafkaCluster(kafka_bootstrap), topics)] == [
        f"{topics[-1].name} does not exist."
    ]
    assert create(kafka_bootstrap, topics) == [topics[-1].name]


def test_other_number_of_partitions_is_refused(kafka_bootstrap: str, namespace: str) -> None:
    """Keys would land elsewhere than their state: the message has both numbers and the way out, nothing is changed."""
    create(kafka_bootstrap, Topics(namespace=namespace, partitions=2).all())
    wanted = Topics(namespace=namespace, partitions=4)
    with pytest.raises(TopicsError) as raised:
        create(kafka_bootstrap, wanted.all())
    assert f"{wanted.links.name} has 2 partitions; it should have 4." in str(raised.value)
    assert "set FLATLINE_PARTITIONS" in str(raised.value)
    assert check_topics(KafkaCluster(kafka_bootstrap), Topics(namespace=namespace, partitions=2).all()) == []


def test_other_cleanup_policy_is_refused(kafka_bootstrap: str, namespace: str) -> None:
    """A changelog that deletes instead of compacting would lose articles."""
    changelog = Topics(namespace=namespace, partitions=1).changelog
    create(kafka_bootstrap, (replace(changelog, cleanup_policy="delete"),))
    with pytest.raises(TopicsError, match=r"cleanup\.policy=delete; it should be compact"):
        create(kafka_bootstrap, (changelog,))


def test_every_setting_is_compared_and_can_be_altered(kafka_bootstrap: str, namespace: str) -> None:
    """Each setting that somebody changed, retention included, is named with both values; altering mends them all."""
    topics = Topics(namespace=namespace, partitions=1).all()
    create(kafka_bootstrap, topics)
    others = {
        "cleanup.policy": "compact,delete",
        "compression.type": "lz4",
        "max.message.bytes": "5000",
        "message.timestamp.after.max.ms": "5000",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2",
        "retention.bytes": "5000",
        "retention.ms": "3600000",
        "segment.ms": "5000",
        "unclean.leader.election.enable": "true",
    }
    declared = {(topic.name, setting) for topic in topics for setting in topic.config()}
    assert {setting for _, setting in declared} == others.keys()
    with KafkaAdminClient(bootstrap_servers=kafka_bootstrap) as admin:
        admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, topic.name, {name: others[name] for name in topic.config()})
                for topic in topics
            ]
        )
    until("all differ", lambda: len(check_topics(KafkaCluster(kafka_bootstrap), topics)) == len(declared))
    for topic in topics:
        for setting, value in topic.config().items():
            expected = f"{topic.name} has {setting}={others[setting]}; it should be {value}."
            assert expected in [each.says for each in check_topics(KafkaCluster(kafka_bootstrap), topics)]
    assert {each.remedy for each in check_topics(KafkaCluster(kafka_bootstrap), topics)} == {
        "`flatline topics alter` gives the topics the settings that they should have."
    }
    assert alter_topics(KafkaCluster(kafka_bootstrap), topics) == [topic.name for topic in topics]
    until("all are as declared", lambda: not check_topics(KafkaCluster(kafka_bootstrap), topics))
    assert alter_topics(KafkaCluster(kafka_bootstrap), topics) == []


def test_a_shorter_retention_stops_no_worker(kafka_bootstrap: str, namespace: str) -> None:
    """An installation from before links were kept for ever goes on; only what makes a worker fail stops it."""
    links = Topics(namespace=namespace, partitions=1).links
    create(kafka_bootstrap, (replace(links, retention_ms=DAY_MS, compression="producer"),))
    assert create(kafka_bootstrap, (links,)) == []
    assert {each.is_vital for each in check_topics(KafkaCluster(kafka_bootstrap), (links,))} == {False}


def test_too_few_replicas_are_named(kafka_bootstrap: str, namespace: str) -> None:
    """One copy where three are declared, of our topics and of those that hold offsets and transactions."""
    single = Topics(namespace=namespace, partitions=1).links
    create(kafka_bootstrap, (single,))
    differences = check_topics(
        KafkaCluster(kafka_bootstrap), (Topics(namespace=namespace, partitions=1, replication_factor=3).links,)
    )
    says = [each.says for each in differences]
    for name in (single.name, "__consumer_offsets", "__transaction_state"):
        assert f"{name} has 1 replicas; it should have 3." in says
    for name in (single.name, "__transaction_state"):
        assert f"{name} has min.insync.replicas=1; it should be 2." in says
    assert any("kafka-reassign-partitions.sh" in each.remedy for each in differences)
    assert not check_topics(KafkaCluster(kafka_bootstrap), (single,))


def test_two_may_create_them_at_once(kafka_bootstrap: str, namespace: str) -> None:
    """Workers that start together don't fail each other."""
    topics = Topics(namespace=namespace, partitions=2).all()
    with ThreadPoolExecutor() as pool:
        created = list(pool.map(lambda _: create(kafka_bootstrap, topics), range(4)))
    assert {name for names in created for name in names} == {topic.name for topic in topics}


def test_brokers_refusal_is_told(kafka_bootstrap: str, namespace: str) -> None:
    """More copies than brokers: the broker's own words reach the user."""
    with pytest.raises(TopicsError, match="only 1 broker"):
        ensure_topics(KafkaCluster(kafka_bootstrap), Topics(namespace=namespace, replication_factor=3).all())


def test_a_broker_may_learn_of_new_topics_later(
    kafka_bootstrap: str, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a cluster, another broker than the one that was waited for may answer, and know nothing of them yet."""
    topics, unaware = Topics(namespace=namespace, partitions=2), {"describe_topics": 2, "describe_configs": 2}

    def late(name: str, ask: Any, unknown: Any) -> Any:
        def answer(admin: KafkaAdminClient, *asked: Any, **options: Any) -> Any:
            said = ask(admin, *asked, **options)
            if unaware[name]:
                unaware[name] -= 1
                return unknown(said)
            return said

        return answer

    create(kafka_bootstrap, topics.all()[:-1])
    for name, unknown in (
        ("describe_topics", lambda said: [topic | {"partitions": []} for topic in said]),
        ("describe_configs", lambda said: {"topic": {name: {} for name in said["topic"]}}),
    ):
        monkeypatch.setattr(KafkaAdminClient, name, late(name, getattr(KafkaAdminClient, name), unknown))
    assert create(kafka_bootstrap, topics.all()) == [topics.all()[-1].name]
    assert unaware == {"describe_topics": 0, "describe_configs": 0}
