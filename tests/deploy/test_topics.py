from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.kafka.topics import TopicsError, check_topics, ensure_topics
from streams.schema.topics import Topic, Topics


def create(bootstrap: str, topics: tuple[Topic, ...]) -> list[str]:
    """Create the topics with one copy, as on a single broker."""
    return ensure_topics(bootstrap, topics, replication_factor=1)


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
    assert check_topics(kafka_bootstrap, topics) == []


def test_missing_topic_is_created_beside_the_others(kafka_bootstrap: str, namespace: str) -> None:
    """A topic that a later version brings is added to those that exist."""
    topics = Topics(namespace=namespace, partitions=2).all()
    create(kafka_bootstrap, topics[:-1])
    assert check_topics(kafka_bootstrap, topics) == [f"{topics[-1].name} does not exist."]
    assert create(kafka_bootstrap, topics) == [topics[-1].name]


def test_other_number_of_partitions_is_refused(kafka_bootstrap: str, namespace: str) -> None:
    """Keys would land elsewhere than their state: the message has both numbers and the way out, nothing is changed."""
    create(kafka_bootstrap, Topics(namespace=namespace, partitions=2).all())
    wanted = Topics(namespace=namespace, partitions=4)
    with pytest.raises(TopicsError) as raised:
        create(kafka_bootstrap, wanted.all())
    assert f"{wanted.links.name} has 2 partitions; it should have 4." in str(raised.value)
    assert "set FLATLINE_PARTITIONS" in str(raised.value)
    assert check_topics(kafka_bootstrap, Topics(namespace=namespace, partitions=2).all()) == []


def test_other_cleanup_policy_is_refused(kafka_bootstrap: str, namespace: str) -> None:
    """A changelog that deletes instead of compacting would lose articles."""
    changelog = Topics(namespace=namespace, partitions=1).changelog
    create(kafka_bootstrap, (replace(changelog, cleanup_policy="delete"),))
    with pytest.raises(TopicsError, match=r"cleanup\.policy=delete; it should be compact"):
        create(kafka_bootstrap, (changelog,))


def test_two_may_create_them_at_once(kafka_bootstrap: str, namespace: str) -> None:
    """Workers that start together don't fail each other."""
    topics = Topics(namespace=namespace, partitions=2).all()
    with ThreadPoolExecutor() as pool:
        created = list(pool.map(lambda _: create(kafka_bootstrap, topics), range(4)))
    assert {name for names in created for name in names} == {topic.name for topic in topics}


def test_brokers_refusal_is_told(kafka_bootstrap: str, namespace: str) -> None:
    """More copies than brokers: the broker's own words reach the user."""
    with pytest.raises(TopicsError, match="only 1 broker"):
        ensure_topics(kafka_bootstrap, Topics(namespace=namespace).all(), replication_factor=3)
