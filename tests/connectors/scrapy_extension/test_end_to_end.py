"""A real spider, a real ingest and a real Kafka."""

from pathlib import Path

import msgspec

from tests.connectors.pushing import SOURCE, TOKEN, RunningIngest
from tests.connectors.scrapy_extension.site import crawl, serving
from tests.integration.reading import read_all


def test_from_a_page_to_kafka(kafka_bootstrap: str, ingest: RunningIngest, tmp_path: Path) -> None:
    """Links and the heartbeat are what the ingest takes, as the source of the token."""
    with serving() as site:
        site.pages = {"/": (200, '<a href="https://yours.example/a">a</a>')}
        first = f"http://127.0.0.1:{site.port}/"
        log = crawl(tmp_path, first, ingest.port, token=TOKEN)
    assert "'flatline/heartbeats': 1" in log
    assert "'flatline/accepted': 1" in log
    stored = [msgspec.json.decode(record.value or b"") for record in read_all(kafka_bootstrap, ingest.topics.links)]
    assert [(each["url_from"], each["url_to"], each["source"]) for each in stored] == [
        (first, "https://yours.example/a", SOURCE)
    ]
    (heartbeat,) = read_all(kafka_bootstrap, ingest.topics.heartbeats)
    assert heartbeat.key == SOURCE.encode()
