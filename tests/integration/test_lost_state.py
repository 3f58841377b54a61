"""The changelog was lost: a worker refuses to begin at zero."""

from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.rebuild.lost_state import LostStateError, lost_partitions, refuse_lost_state
from flatline.schema.topics import Topics
from tests.chaos.events import Events
from tests.chaos.flow import write_all
from tests.integration.reading import progress
from tests.integration.running import Installation
from tests.waiting import until

PARTITIONS = 2


def test_a_worker_refuses_to_begin_at_zero(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """As long as there is state it starts, also where a partition's records left no trace; without state it does not.

    It says which partitions, and what makes the state anew.
    """
    topics = Topics(namespace=namespace, partitions=PARTITIONS)
    with Installation(kafka_bootstrap, namespace, tmp_path, FLATLINE_PARTITIONS=str(PARTITIONS)) as installation:
        events = Events(topics, seed=1, articles=5)
        poison = [events.poison()._replace(partition=1)]
        write_all(kafka_bootstrap, [*(each._replace(partition=0) for each in events.one_each()), *poison])
        installation.start(1)
        until("all is committed", lambda: progress(kafka_bootstrap, topics).is_complete)
        assert lost_partitions(KafkaCluster(kafka_bootstrap), topics) == []
        installation.kill(1)
        with KafkaAdminClient(bootstrap_servers=kafka_bootstrap) as admin:
            admin.delete_topics([topics.changelog.name])
            until("it is gone", lambda: topics.changelog.name not in admin.list_topics())
        installation.start(1)
        assert installation.wait_ended(1) == 1
        said = installation.log(1)
    assert "The state is lost" in said
    assert "partition 0, 1" in said
    assert "`flatline state rebuild`" in said
    assert "Traceback" not in said


def test_only_what_was_read_is_missed(kafka_bootstrap: str, namespace: str) -> None:
    """A new installation has no state yet, nor has one whose group read nothing of a partition."""
    topics = Topics(namespace=namespace, partitions=3)
    ensure_topics(KafkaCluster(kafka_bootstrap), topics.all())
    refuse_lost_state(KafkaCluster(kafka_bootstrap), topics)
    consumer = KafkaConsumer(bootstrap_servers=kafka_bootstrap, group_id=namespace, enable_auto_commit=False)
    offsets = {0: (topics.links, 0), 1: (topics.visits, 4), 2: (topics.verdicts, 4)}
    consumer.commit(
        {TopicPartition(topic.name, number): OffsetAndMetadata(at, "", -1) for number, (topic, at) in offsets.items()}
    )
    consumer.close()
    assert lost_partitions(KafkaCluster(kafka_bootstrap), topics) == [1]
    with pytest.raises(LostStateError, match="partition 1,"):
        refuse_lost_state(KafkaCluster(kafka_bootstrap), topics)
