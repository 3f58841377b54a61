"""Topics whose settings are stricter than those of their records: what they refuse is dead-lettered, nothing ends."""

import json
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from kafka import KafkaAdminClient, KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType

from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topic, Topics
from tests.integration.reading import read_all
from tests.integration.running import Installation
from tests.waiting import until

DAY_MS = 86_400_000
TARGET = "https://yours.example/article"
LONG_MAX = 2_000
LETTER_MAX = 3_000


def _set(bootstrap: str, topic: Topic, **settings: int) -> None:
    configs = {name.replace("_", "."): str(value) for name, value in settings.items()}
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, topic.name, configs={**topic.config(), **configs})]
        )


def _link(number: int, *, length: int = 0) -> bytes:
    return json.dumps(
        {"url_from": f"https://site{number}.example/", "url_to": TARGET, "context": "x" * length}
    ).encode()


def test_what_is_refused_on_its_way_is_a_dead_letter(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Of records on the wrong partition: those that their topic now refuses, each with its reason; all others count."""
    topics, now_ms = Topics(namespace=namespace, partitions=4), int(time.time() * 1000)
    wrong = (partition_of(TARGET.encode(), 4) + 1) % 4
    expected: Counter[tuple[int, str]] = Counter()
    good = 0
    with Installation(kafka_bootstrap, namespace, tmp_path) as installation:
        with closing(KafkaProducer(bootstrap_servers=kafka_bootstrap)) as producer:
            for number in range(90):
                length, age_ms = {7: (2_500, 0), 8: (9_000, 0), 9: (0, 9 * DAY_MS)}.get(number % 10, (0, 0))
                value = _link(number, length=length)
                sending = producer.send(topics.links.name, value=value, partition=wrong, timestamp_ms=now_ms - age_ms)
                if length or age_ms:
                    expected[sending.get(60).offset, "too_long" if length else "invalid_time"] += 1
                else:
                    good += 1
            producer.flush()
        _set(kafka_bootstrap, topics.links, max_message_bytes=LONG_MAX, message_timestamp_before_max_ms=DAY_MS)
        _set(kafka_bootstrap, topics.dead_letters, max_message_bytes=LETTER_MAX)
        installation.start(1)
        installation.wait_ready(1)

        def is_right() -> bool:
            installation.tend(0.5)
            assert not installation.ends, installation.log(1)[-3_000:]
            return installation.articles().get(TARGET, {}).get("gained_total") == good

        until("every good link is counted", is_right)
    letters = read_all(kafka_bootstrap, topics.dead_letters)
    assert Counter((int(each.headers["offset"]), each.headers["reason"]) for each in letters) == expected
    assert sum("cut_at_bytes" in each.headers for each in letters) == 9
