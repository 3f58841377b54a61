"""Copies of what is known of former addresses: what is none is a dead letter, and harms nothing."""

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from flatline.agents.copies import CopyAgent
from flatline.domain.state.article import FORMAT_BYTE, Article, Header, LinkObservation
from flatline.domain.state.segment import Segment
from flatline.engine.log import MicroBatch
from flatline.engine.partition import Partition
from flatline.metrics import WorkerMetrics
from flatline.schema.topics import Topics
from tests.agents.lone_worker import Read
from tests.examples import examples

TOPICS = Topics(partitions=2)
KEY = b"https://former.example/a"


def _parts() -> list[tuple[bytes, bytes]]:
    article = Article(KEY, Header(watched_since_ms=1), Segment())
    seen = [
        LinkObservation(KEY, n.to_bytes(8, "big"), n.to_bytes(6, "big"), True, 1_700_000_000_000, 1) for n in range(300)
    ]
    article.apply(seen, defaultdict(int))
    further = [(KEY + b"\0" + low, each) for low, each in article.encode_further(only_changed=False)]
    return [(KEY, article.encode()), *further]


PARTS = _parts()


def _join(records: list[tuple[bytes | None, bytes | None]]) -> Partition:
    partition = Partition()
    read = [Read(n, 1_700_000_000_000, key, value) for n, (key, value) in enumerate(records)]
    agent = CopyAgent(topics=TOPICS, metrics=WorkerMetrics(CollectorRegistry()))
    agent.apply(MicroBatch(TOPICS.copies.name, 0, read), partition, now_ms=1_700_000_000_001)
    return partition


@examples(200)
@given(st.sampled_from(PARTS), st.integers(0, 10_000), st.binary(max_size=9), st.integers(0, 20))
def test_any_bytes(part: tuple[bytes, bytes], at: int, written: bytes, left_out: int) -> None:
    """A part that something was written into, or cut from, is joined or dead-lettered; whole ones beside it count."""
    _, value = part
    at %= len(value) + 1
    broken = value[:at] + written + value[at + left_out :]
    partition = _join([(b"https://other.example/", broken), *PARTS])
    article = partition.get(KEY)
    assert article is not None
    assert article.totals.gained == 300
    list(partition.take_changes())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"x"),
        (b"\0", PARTS[0][1]),
        (KEY, b""),
        (KEY, FORMAT_BYTE),
        (KEY + b"\x002024", FORMAT_BYTE + b"\xc1"),
        (KEY, b"\x63"),
    ],
)
def test_what_is_no_part(key: bytes | None, value: bytes) -> None:
    """It is dead-lettered, once."""
    assert len(_join([(key, value)]).dead_letters) == 1


def test_a_tombstone_says_nothing() -> None:
    """Nobody writes one; it changes nothing."""
    assert not len(_join([(KEY, None)]))
