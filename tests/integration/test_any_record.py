"""Records of any size, codec, header and time, on a real Kafka: the worker that reads them goes on."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from flatline.schema import codec
from flatline.schema.dead_letter import VALUE_BYTES_MAX
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import MESSAGE_BYTES_MAX, Topics
from tests.integration.reading import read_all
from tests.integration.running import Installation
from tests.waiting import until

CODECS = ("gzip", "lz4", "snappy", "zstd")
HUGE = b'{"x": "%s"}' % (b"x" * 5_000_000)
TARGET = "https://yours.example/article"
LONG_TARGET = f"https://yours.example/{'a' * 300}"


class NotUtf8(str):
    """A header's name of bytes that are no text."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """Return them."""
        return b"\xff\xfe"


@pytest.fixture
def installation(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> Iterator[Installation]:
    """Return an installation with one worker that is ready."""
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        running.start(1)
        running.wait_ready(1)
        yield running


def _producer(bootstrap: str, compression: str | None = None) -> KafkaProducer:
    return KafkaProducer(bootstrap_servers=bootstrap, compression_type=compression, max_request_size=20_000_000)


def _link(number: int, url_to: str = TARGET) -> bytes:
    return json.dumps({"url_from": f"https://site{number}.example/", "url_to": url_to}).encode()


class Sender:
    """Sends records of all kinds, and keeps count: of good links, and of what has to be dead-lettered, and why."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self.topics = topics
        self.good = 0
        self.poison: dict[tuple[str, int, int], str] = {}
        self.applied = [topic.name for topic in (topics.links, topics.articles, topics.visits)]
        self.read_whole = [topic.name for topic in (topics.heartbeats, topics.group_parts, topics.groups)]
        self._bootstrap = bootstrap

    def send_huge(self, compression: str) -> None:
        """Send 5 MB to each topic, in small batches, and what is good beside it."""
        with closing(_producer(self._bootstrap, compression)) as producer:
            for topic in (*self.applied, *self.read_whole):
                sent = producer.send(topic, key=b"0/site/x", value=HUGE)
                self._expect("too_long" if topic in self.applied else None, sent)
            # The broker compresses nothing anew here, and leaves the name as it is.
            article = json.dumps({"url": TARGET, "title": compression}).encode()
            headers = [(NotUtf8("xx"), b"1")]
            producer.send(self.topics.articles.name, key=b"any", value=article, headers=headers).get(60)
            self._send_good(producer)

    def send_odd(self) -> None:
        """Send what has no room on its way, records without a time, and tombstones; and a good one."""
        links, visits = self.topics.links.name, self.topics.visits.name
        with closing(_producer(self._bootstrap)) as producer:
            partitions = self.topics.links.partitions
            wrong = (partition_of(LONG_TARGET.encode(), partitions) + 1) % partitions
            value = _link(0, LONG_TARGET)
            trace = [("trace", b"h" * (MESSAGE_BYTES_MAX - 61 - len(value) - 40))]
            self._expect("too_long", producer.send(links, value=value, headers=trace, partition=wrong))
            anything = {"url_from": "https://a.example/", "url_to": TARGET, "url": TARGET, "day": "2026-01-01"}
            undated = json.dumps({**anything, "visits": 1}).encode()
            for timestamp_ms in (-1, 0, 1_700_000_000):
                for topic in self.applied:
                    sent = producer.send(topic, key=b"k", value=undated, timestamp_ms=timestamp_ms)
                    self._expect("invalid_time", sent)
            for topic in self.read_whole:
                producer.send(topic, key=b"0/site/x", value=None).get(60)
            self._expect("empty", producer.send(links, key=b"k", value=None))
            self._expect("empty", producer.send(visits, key=b"k", value=None))
            self._send_good(producer)

    def _send_good(self, producer: KafkaProducer) -> None:
        producer.send(self.topics.links.name, value=_link(self.good)).get(60)
        self.good += 1

    def _expect(self, reason: str | None, sending: Any) -> None:
        sent = sending.get(60)
        if reason is not None:
            self.poison[sent.topic, sent.partition, sent.offset] = reason


def test_any_record(installation: Installation, kafka_bootstrap: str, namespace: str) -> None:
    """What can't be taken is dead-lettered once, with its reason; what is good beside it counts; nothing ends."""
    began_ms = int(time.time() * 1000)
    sender = Sender(kafka_bootstrap, Topics(namespace=namespace, partitions=4))
    for compression in CODECS:
        sender.send_huge(compression)
    sender.send_odd()

    def is_right() -> bool:
        installation.tend(0.5)
        assert not installation.ends, installation.log(1)[-3_000:]
        return installation.articles().get(TARGET, {}).get("gained_total") == sender.good

    until("every good link is counted", is_right)
    letters = read_all(kafka_bootstrap, sender.topics.dead_letters)
    found = Counter(
        (words["topic"], int(words["partition"]), int(words["offset"]), words["reason"])
        for words in (letter.headers for letter in letters)
    )
    assert found == Counter((*where, reason) for where, reason in sender.poison.items())
    assert all(letter.timestamp_ms >= began_ms for letter in letters)
    cut = [letter for letter in letters if "cut_at_bytes" in letter.headers]
    assert len(cut) == len(CODECS) * len(sender.applied)
    assert all(letter.value == HUGE[:VALUE_BYTES_MAX] for letter in cut)
    installation.kill(1)
    installation.start(1)
    installation.wait_ready(1)
    assert installation.articles()[TARGET]["gained_total"] == sender.good
    said = [each.value for each in read_all(kafka_bootstrap, sender.topics.verdicts) if each.key == TARGET.encode()]
    assert codec.verdicts.decode(said[-1]).title == CODECS[-1]
