"""The records of schedules. Each has its truth in a header: what it must lead to, known from how it was made."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from flatline.engine.log import Outgoing, Record
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

START_MS: Final = 1_780_000_000_000  # 2026-05-28T20:26:40Z
DAY_MS: Final = 86_400_000
PARTITIONS: Final = 3
TOPICS: Final = Topics(partitions=PARTITIONS)
LINKS: Final = TOPICS.links.name
REGISTRATIONS: Final = TOPICS.articles.name

ARTICLES: Final = [f"https://yours.example/articles/{name}" for name in ("a", "b", "c", "d", "e")]
_PARTITION_OF: Final = [partition_of(article.encode(), PARTITIONS) for article in ARTICLES]
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRUTH: Final = "truth"

POISONS: Final = (
    (b"\xff\x00", "invalid_json"),
    (b"", "empty"),
    (b'{"url": 7, "url_from": 7, "url_to": "https://yours.example/"}', "wrong_type"),
    (b'{"url": "ftp://a.example/", "url_from": "https://a.example/", "url_to": "ftp://a.example/"}', "invalid_url"),
)


class Link(msgspec.Struct, frozen=True, tag=True):
    """A link gained or lost; article and page are numbers."""

    article: int
    page: int
    is_gain: bool
    at_ms: int


class Registration(msgspec.Struct, frozen=True, tag=True):
    """An article registered."""

    article: int
    title: str


class Poison(msgspec.Struct, frozen=True, tag=True):
    """A record that can't be read."""

    reason: str


Truth = Link | Registration | Poison


def truth_of(record: Record) -> Truth:
    """Return what a record must lead to."""
    return msgspec.json.decode(dict(record.headers)[_TRUTH], type=Truth)  # type: ignore[no-any-return]


def domain_of(page: int) -> str:
    """Return the domain of a page: some pages share one."""
    return f"site{page % 3}.example"


def link_record(link: Link, *, spelling: int = 0, misplaced_on: int | None = None) -> Outgoing:
    """Return a link event in one of the spellings of its URLs, perhaps on any partition and with another key."""
    article, host = ARTICLES[link.article], domain_of(link.page)
    event = {
        "url_from": f"http://www.{host}/p/{link.page}/?utm_source=x#top"
        if spelling % 2
        else f"https://{host}/p/{link.page}",
        "url_to": article + ("?utm_campaign=y" if spelling > 1 else ""),
        "change": "gained" if link.is_gain else "lost",
        "occurred_at": _EPOCH + timedelta(milliseconds=link.at_ms),
    }
    is_placed = misplaced_on is None
    partition = _PARTITION_OF[link.article] if is_placed else misplaced_on
    key = article.encode() if is_placed else b"anything"
    return _record(LINKS, partition, key, msgspec.json.encode(event), link)


def registration_record(registration: Registration, *, timestamp_ms: int) -> Outgoing:
    """Return an article record."""
    article = ARTICLES[registration.article]
    value = msgspec.json.encode({"url": article, "title": registration.title, "tier": 1})
    partition = _PARTITION_OF[registration.article]
    return _record(REGISTRATIONS, partition, article.encode(), value, registration, timestamp_ms=timestamp_ms)


def poison_record(number: int, *, topic: str, partition: int) -> Outgoing:
    """Return one of the records that can't be read."""
    value, reason = POISONS[number]
    return _record(topic, partition, b"key", value, Poison(reason))


def _record(
    topic: str, partition: int, key: bytes, value: bytes | None, truth: Truth, *, timestamp_ms: int | None = None
) -> Outgoing:
    return Outgoing(topic, partition, key, value, timestamp_ms, [(_TRUTH, msgspec.json.encode(truth))])
