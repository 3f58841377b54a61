"""What links cost on the broker: `python -m tests.bench.storage`, of real events with HISTORY=links.ndjson.zst.

They are written as `flatline links import` does it, and as crawlers push them: a hundred to an ingest's batch.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics
from flatline_connectors.files.lines import LineFile
from flatline_connectors.sending.links import PreparedLink, prepare
from flatline_connectors.sending.producer import Producer
from tests.bench.broker import log_bytes
from tests.bench.part import WrongResult, run, setting
from tests.bench.worker import record_count
from tests.bench.workload import Workload, values

EVENTS: Final = 1_000_000
PUSHED: Final = 100


def measure(bootstrap: str, folder: Path) -> dict[str, float]:  # noqa: ARG001 - as of each part
    """Return the bytes a link, with and without compression, of an import and of pushes. Raises WrongResult."""
    events = setting("EVENTS", EVENTS)
    figures: dict[str, float] = {}
    for name, compression, is_pushed in (
        ("imported", "zstd", False),
        ("pushed", "zstd", True),
        ("uncompressed", "producer", False),
    ):
        topics = Topics(namespace=f"storage-{len(figures)}")
        links = replace(topics.links, compression=compression)
        ensure_topics(KafkaCluster(bootstrap), [links if topic == topics.links else topic for topic in topics.all()])
        count = size = 0
        with Producer(KafkaCluster(bootstrap), topics, now_ms=lambda: int(time.time() * 1000), linger_ms=5) as producer:
            for link in islice(_links(events), events):
                producer.send_link(link)
                count, size = count + 1, size + len(link.value)
                if is_pushed and count % PUSHED == 0:
                    producer.flush()
        if (taken := record_count(bootstrap, links)) != count:
            raise WrongResult(f"{count:,} links were sent, and the topic has {taken:,}")
        figures[f"storage_bytes_per_link_{name}"] = log_bytes(bootstrap, links.name) / count
        figures["storage_json_bytes_per_link"] = size / count
    return figures


def _links(events: int) -> Iterator[PreparedLink]:
    history = os.environ.get("HISTORY")
    if history is None:
        yield from map(prepare, values(Workload(events)))
        return
    for line in LineFile(Path(history)):
        try:
            yield prepare(line.value)
        except Rejected:
            continue


if __name__ == "__main__":
    sys.exit(run(measure))
