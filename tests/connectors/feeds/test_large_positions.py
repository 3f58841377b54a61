"""Hundreds of feeds with thousands of entries: a position is many records, each of which Kafka takes."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import pytest
from msgspec.structs import replace

from flatline.connect.process import Member
from flatline.connect.saved import SavedRecords
from flatline.connect.saving import PartitionSaving
from flatline.engine.log import Outgoing
from flatline.schema.connector_record import POSITION_BYTES_MAX, ConnectorPosition, position_key
from flatline_connectors.feeds.connector import FEEDS_MAX, KIND, FeedsState
from flatline_connectors.feeds.entries import Entry
from flatline_connectors.feeds.following import FeedPosition, Followed, follow, found_on_page
from flatline_connectors.pages.links import Links, PageLink
from flatline_connectors.runtime.position_parts import split

READ_AT = datetime(2026, 5, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def entries(feed: int, count: int, links: Links, *, has_text: bool = True) -> list[Entry]:
    """Return entries that all differ, the newest first."""
    return [
        Entry(
            f"{feed}/{number}",
            f"https://blog{feed}.example/{number}",
            title="x" * 400,
            published_at=READ_AT - DAY,
            updated_at=READ_AT - timedelta(seconds=number),
            has_text=has_text,
            links=links,
        )
        for number in range(count)
    ]


def links(count: int, *, length: int = 40) -> Links:
    """Return links to different articles."""
    urls = (f"https://yours.example/{number:0{length}}" for number in range(count))
    return {url: PageLink(url) for url in urls}


class Topic:
    """A partition of the topic of positions: takes transactions, and is read again by whoever comes next."""

    def __init__(self) -> None:
        self.values: dict[bytes, bytes] = {}
        self.written: list[bytes] = []

    async def commit(self, records: Iterable[Outgoing], _offsets: Mapping[str, object]) -> None:
        """Write records, unless one is larger than Kafka takes."""
        self.written = []
        for record in records:
            assert record.key is not None
            assert len(record.value or b"") <= POSITION_BYTES_MAX
            self.written.append(record.key)
            if record.value is None:
                del self.values[record.key]
            else:
                self.values[record.key] = record.value

    async def close(self) -> None:
        """Nothing is held."""

    def saved(self) -> SavedRecords:
        """Read it from its beginning."""
        saved = SavedRecords()
        for key, value in self.values.items():
            saved.receive(key, value)
        return saved

    def saving(self) -> PartitionSaving:
        """Return what a new process saves with."""
        return PartitionSaving(self, "connectors", 0, self.saved())


def records(state: FeedsState) -> list[ConnectorPosition]:
    """Return the position of a connector as its runner saves it."""
    position = ConnectorPosition("blogs", "feeds", msgspec.Raw(msgspec.json.encode(state)), READ_AT)
    return split(position, KIND.parts)


def state_in(topic: Topic) -> FeedsState | None:
    """Return the position that a new process begins with."""
    position = topic.saved().position("blogs")
    return None if position is None else msgspec.json.decode(position.state, type=FeedsState)


@pytest.mark.long
async def test_hundreds_of_feeds_with_thousands_of_entries() -> None:
    """All is remembered, in records that Kafka takes; a poll writes what it changed, also after another process."""
    topic = Topic()
    feeds = {
        f"https://blog{number}.example/feed": follow(
            FeedPosition(), entries(number, 3_000, links(2)), read_at=READ_AT
        ).position
        for number in range(FEEDS_MAX)
    }
    state = FeedsState(round=1, turn="https://blog0.example/feed", feeds=feeds)
    assert len(msgspec.json.encode(state)) > 10 * POSITION_BYTES_MAX
    await topic.saving().save_position(records(state))
    assert state_in(topic) == state
    saving = topic.saving()
    for feed in ("https://blog7.example/feed", "https://blog8.example/feed"):
        state = replace(state, turn=feed, feeds={**state.feeds, feed: FeedPosition(round=2)})
        await saving.save_position(records(state))
        assert len(topic.written) == 2
        assert state_in(topic) == state
    state = replace(state, feeds={feed: known for feed, known in state.feeds.items() if "blog1" not in feed})
    await topic.saving().save_position(records(state))
    assert state_in(topic) == state
    assert len(topic.values) == 1 + len(state.feeds) < 100


async def test_a_position_that_was_deleted_takes_its_parts_with_it() -> None:
    """A tombstone of the position alone has the connector begin anew, and no part of the former one comes back."""
    topic = Topic()
    feeds = {"https://a.example/": FeedPosition(round=1), "https://b.example/": FeedPosition(round=1)}
    await topic.saving().save_position(records(FeedsState(round=1, feeds=feeds)))
    del topic.values[position_key("blogs")]
    assert state_in(topic) is None
    anew = FeedsState(round=1, feeds={"https://b.example/": FeedPosition(etag="1")})
    await topic.saving().save_position(records(anew))
    assert state_in(topic) == anew
    assert len(topic.values) == 2


async def test_a_position_of_before_is_read() -> None:
    """One that was saved in one record goes on, in several."""
    topic = Topic()
    state = FeedsState(round=1, feeds={"https://a.example/": FeedPosition(round=1)})
    [position] = split(records(state)[0], None)
    position = replace(position, state=msgspec.Raw(msgspec.json.encode(state)))
    topic.values[position_key("blogs")] = msgspec.json.encode(position)
    assert state_in(topic) == state
    await topic.saving().save_position(records(state))
    assert state_in(topic) == state
    assert len(topic.values) == 2


def size(position: FeedPosition) -> int:
    """Return the bytes of a feed's position."""
    return len(msgspec.json.encode(position))


@pytest.mark.parametrize("has_text", [True, False], ids=["texts", "summaries"])
def test_a_feed_with_more_than_fits(has_text: bool) -> None:
    """The last entries are forgotten, and their links told again at the next reading; what is remembered is not."""
    read = partial(follow, read_at=READ_AT)
    feed = entries(0, 500, links(60 if has_text else 400), has_text=has_text)
    first = read(FeedPosition(), feed)
    assert POSITION_BYTES_MAX // 2 < size(first.position) < POSITION_BYTES_MAX
    again = read(first.position, feed)
    remembered = {entry.url for entry in feed[: len(first.position.entries)]}
    assert 10 < len(remembered) < 500
    assert remembered.isdisjoint(event.url_from for event in again.events)
    assert size(again.position) < POSITION_BYTES_MAX


def test_pages_with_more_links_than_fit() -> None:
    """What is found on a page counts, even if it can't be remembered."""
    position = follow(FeedPosition(), entries(0, 50, {}, has_text=False), read_at=READ_AT).position
    found = Followed([], position)
    for page in position.pages:
        found = found_on_page(found.position, page, links(2_000), read_at=READ_AT)
        assert len(found.events) == 2_000
        assert size(found.position) < POSITION_BYTES_MAX
    assert not found.position.pages


def test_a_deleted_part_is_no_reset() -> None:
    """Only the deletion of a position has its connector begin anew."""
    resets: list[str] = []

    class Owned:
        def reset(self, connector: str) -> None:
            resets.append(connector)

    member = object.__new__(Member)
    member._owned = {0: Owned()}  # type: ignore[dict-item]
    for key, value in ((b"position/blogs/1f", None), (b"status/blogs", None), (b"position/blogs", b"{}")):
        member._notice(0, key, value)
    assert resets == []
    member._notice(0, b"position/blogs", None)
    assert resets == ["blogs"]
