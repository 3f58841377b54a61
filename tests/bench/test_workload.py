from urllib.parse import urlsplit

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from flatline.schema.topics import Topics
from tests.bench import workload
from tests.bench.run import Totals
from tests.bench.workload import Workload

HOT = "https://blog.example.com/articles/50/thought-leadership"


@pytest.mark.parametrize(
    "load",
    [
        Workload(3_000, articles=50),
        Workload(3_000, articles=50, partitions=1, hot_links=1_000, hot_share=0.1),
    ],
)
async def test_what_must_come_out_is_what_the_events_say(kafka_bootstrap: str, load: Workload) -> None:
    """Totals are counted on the numbers that events are made from; here they are counted on the events."""
    installation = f"workload-{load.partitions}"
    must_be = await workload.fill(kafka_bootstrap, installation, load)
    events = await _read(kafka_bootstrap, installation, load)
    links = {(event["url_from"], event["url_to"]) for event in events}
    assert must_be == Totals(
        links=len(links),
        referring_domains=len({(urlsplit(url_from).hostname, url_to) for url_from, url_to in links}),
        articles=len({url_to for _, url_to in links}),
    )
    assert 0.85 < len(links) / len(events) < 0.97  # some are repeated


async def test_the_hot_article_has_its_links_before_the_others_begin(kafka_bootstrap: str) -> None:
    """They are applied before the time runs; after that it gets its share."""
    load = Workload(6_000, articles=50, partitions=1, hot_links=1_000, hot_share=0.1)
    await workload.fill(kafka_bootstrap, "workload-hot", load)
    urls = [event["url_to"] for event in await _read(kafka_bootstrap, "workload-hot", load)]
    assert urls[:1_000] == [HOT] * 1_000
    assert urls[1_000:].count(HOT) / 5_000 == pytest.approx(0.1, rel=0.2)


async def _read(bootstrap: str, installation: str, load: Workload) -> list[dict[str, str]]:
    events: list[dict[str, str]] = []
    topic = Topics(namespace=installation, partitions=load.partitions).links.name
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, number) for number in range(load.partitions)])
        while len(events) < load.events:
            for records in (await consumer.getmany(timeout_ms=1_000)).values():
                events.extend(orjson.loads(record.value) for record in records)
    return events
