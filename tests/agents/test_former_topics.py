"""Records of a former layout, each to the partition of its article."""

from typing import NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from flatline.agents.former_topics import RECORD_BYTES_SENT_MAX, routes, routes_of_verdicts
from flatline.domain.urls.canonical import article_key
from flatline.engine.log import Outgoing, Record
from flatline.kafka.skipped_batch import SkippedBatch
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import MESSAGE_BYTES_MAX, Topics

URL = "HTTP://www.Yours.example/b/?utm_source=x"
FORMER, TOPICS = Topics(partitions=4), Topics(partitions=6, layout=2)


class Stored(NamedTuple):
    """A record that was read."""

    key: bytes | None
    value: bytes | None
    offset: int = 0
    timestamp: int = 1_780_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()


def route(topic: str, record: Record, *, partition: int = 0) -> Outgoing:
    """Return what is made of a record."""
    [outgoing] = routes(FORMER, TOPICS)[topic]([record], partition)
    return outgoing


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("links", {"url_from": "https://a.example/", "url_to": "HTTP://www.Yours.example/b/?utm_source=x"}),
        ("articles", {"url": "HTTP://www.Yours.example/b/?utm_source=x"}),
        (
            "visits",
            {"url": "HTTP://www.Yours.example/b/?utm_source=x", "domain": "a.com", "day": "2026-01-01", "visits": 1},
        ),
    ],
)
@pytest.mark.parametrize("key", [None, b"", b"http://yours.example/b", b"anything"])
def test_a_record_goes_where_its_article_lies(name: str, event: dict[str, object], key: bytes | None) -> None:
    """Whatever its key is: one that lay on the right partition by chance would not do so again. All else stays."""
    value = orjson.dumps(event)
    record = Stored(key, value, headers=(("trace", b"1"),))
    expected = article_key("http://yours.example/b", field="url")
    outgoing = route(getattr(FORMER, name).name, record)
    assert outgoing == Outgoing(
        getattr(TOPICS, name).name, partition_of(expected, 6), expected, value, record.timestamp, record.headers
    )


@hypothesis_settings(deadline=None)
@given(st.none() | st.binary(max_size=50), st.none() | st.binary(max_size=50), st.integers(0, 3))
def test_what_can_t_be_read_is_kept_as_it_is(key: bytes | None, value: bytes | None, partition: int) -> None:
    """Tombstones and poison go by their key, or anywhere: some worker sets them aside or applies them."""
    outgoing = route(FORMER.links.name, Stored(key, value), partition=partition)
    assert (outgoing.key, outgoing.value) == (key, value)
    assert 0 <= outgoing.partition < 6
    if key is not None:
        assert outgoing.partition == partition_of(key, 6)


def test_what_came_compressed_and_is_too_long_fits() -> None:
    """No topic takes 5 MB uncompressed: it is cut, and is still too long to be read."""
    record = Stored(b"k" * 100_000, b"x" * 5_000_000, headers=(("h", b"y" * 1_000_000),))
    outgoing = route(FORMER.links.name, record)
    assert 65_536 < len(outgoing.value or b"") < RECORD_BYTES_SENT_MAX < MESSAGE_BYTES_MAX
    assert (outgoing.key, outgoing.headers) == (None, ())


def test_what_was_not_unpacked_is_a_dead_letter() -> None:
    """Of a batch that is a bomb nothing can be sent on; it is said which records of the former topic are missing."""
    skipped = SkippedBatch(17, 1_780_000_000_000, "the records 3 to 17 were not read")
    outgoing = route(FORMER.links.name, skipped, partition=2)
    assert outgoing.topic == TOPICS.dead_letters.name
    assert dict(outgoing.headers) == {
        "reason": b"too_long",
        "detail": b"the records 3 to 17 were not read",
        "topic": FORMER.links.name.encode(),
        "partition": b"2",
        "offset": b"17",
        "timestamp_ms": b"1780000000000",
    }


def test_verdicts_keep_their_keys() -> None:
    """What workers said is keyed rightly."""
    [outgoing] = routes_of_verdicts(FORMER, TOPICS)[FORMER.groups.name]([Stored(b"series/A", b"{}")], 0)
    assert (outgoing.topic, outgoing.partition) == (TOPICS.groups.name, partition_of(b"series/A", 6))
