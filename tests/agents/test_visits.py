"""Visits records through the agent into a real partition, out through the changelog, and back."""

import asyncio
from typing import NamedTuple

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from flatline.agents.visits import VisitsAgent
from flatline.domain.urls.fingerprints import referrer
from flatline.engine import partition as partition_module
from flatline.engine.log import MicroBatch
from flatline.engine.partition import Partition
from flatline.metrics import WorkerMetrics
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

TOPICS = Topics(partitions=2)
KEY = b"https://yours.example/article"
HERE = partition_of(KEY, 2)
ELSEWHERE = next(
    key for number in range(99) if partition_of(key := f"https://yours.example/{number}".encode(), 2) != HERE
)
NOW_MS = 1_780_000_000_000  # 2026-05-28


class Written(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def _visits(url: bytes, domain: str, day: str, visits: int) -> bytes:
    return msgspec.json.encode({"url": url.decode(), "domain": domain, "day": day, "visits": visits})


def _apply(partition: Partition, *values: bytes | None) -> None:
    records = [Written(offset, NOW_MS, None, value) for offset, value in enumerate(values)]
    agent = VisitsAgent(topics=TOPICS, metrics=WorkerMetrics(CollectorRegistry()))
    agent.apply(MicroBatch(TOPICS.visits.name, HERE, records), partition, now_ms=NOW_MS)


def test_visits_are_kept() -> None:
    """What came in is what a worker that takes the partition over knows; the same once more writes nothing."""
    partition = Partition()
    batch = [
        _visits(KEY + b"?utm_source=x", "www.news.example", "2026-05-01", 3),
        _visits(KEY, "news.example", "2026-05-01", 5),
        _visits(KEY, "news.example", "2025-05-01", 1),
        _visits(KEY, "other.example", "2026-05-02", 0),
    ]
    _apply(partition, *batch)
    changes = list(partition.take_changes())
    assert [key for key, _ in changes] == [KEY, KEY + b"\x002025", KEY + b"\x002026"]
    restored = Partition()
    for key, value in changes:
        restored.restore(key, value)
    article = restored.peek(KEY)
    assert article is not None
    domain = referrer("https://news.example/")[1]
    assert article.visiting_domains == {domain}
    assert article.visits.sent().by_domain[domain] == 6
    _apply(restored, *reversed(batch))
    assert not restored.is_changed


def test_what_can_not_be_taken() -> None:
    """Records of other partitions are sent on; what can't be read, or can't be, is dead-lettered with its reason."""
    partition = Partition()
    sent_on = _visits(ELSEWHERE, "news.example", "2026-05-01", 3)
    _apply(partition, sent_on, None, b"{}", _visits(KEY, "news.example", "2026-06-01", 3))
    assert [each.record[:4] for each in partition.forwarded] == [(TOPICS.visits.name, 1 - HERE, ELSEWHERE, sent_on)]
    reasons = [dict(out.headers)["reason"] for out in partition.dead_letters]
    assert reasons == [b"empty", b"missing_field", b"invalid_time"]
    assert len(partition) == 0


def test_dead_letters_are_logged_once_for_each_reason(caplog: pytest.LogCaptureFixture) -> None:
    """With the coordinates of the first record: a broken producer makes thousands of dead letters."""
    partition = Partition()
    _apply(partition, None, b"{}", b"{}", None)
    logged = [(record.offset, record.reason) for record in caplog.records if record.name == "flatline.agents"]  # type: ignore[attr-defined]
    letters = [dict(out.headers) for out in partition.dead_letters]
    first = {letter["reason"].decode(): int(letter["offset"]) for letter in reversed(letters)}
    assert len(letters) == 4
    assert logged == sorted((offset, reason) for reason, offset in first.items())


def test_cold_articles_keep_their_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for no warm article at all, a new day is added to what is known, and only its year is written."""
    monkeypatch.setattr(partition_module, "WARM_SEGMENTS_MAX", 0)
    partition = Partition()
    for day in ("2025-05-01", "2026-05-01", "2026-05-02"):
        _apply(partition, _visits(KEY, "news.example", day, 1))
        changes = list(partition.take_changes())
        asyncio.run(partition.cool())
    assert [key for key, _ in changes] == [KEY, KEY + b"\x002026"]
    article = partition.peek(KEY)
    assert article is not None
    assert list(article.visits.sent().by_domain.values()) == [3]
