"""The connector: listens to Jetstream, and remembers the posts that it found, as deletions name only them."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from msgspec import Meta, field
from msgspec.structs import replace

from flatline.domain.time import to_ms
from flatline.schema.limits import Url
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline_connectors.bluesky.posts import POSTS, Told, gained, links_of, lost, post_address, read_message
from flatline_connectors.fetching.connections import Connection
from flatline_connectors.fetching.sse import Message
from flatline_connectors.runtime.config import ConnectorOptions, Duration, duration_s
from flatline_connectors.runtime.connector import ConnectorKind, Resources, UnreadableRecord, found_link
from flatline_connectors.runtime.own_sites import known_sites
from flatline_connectors.runtime.streams import Position, StreamConnector, Taken

REMEMBERED_POSTS: Final = 1_000
REMEMBERED_CHARACTERS: Final = 400_000
"""Of their addresses: the position has to fit into a record of Kafka, whatever people post."""
OVERLAP_US: Final = 5_000_000
"""The times of several servers differ a little."""
_LETTER_CHARACTERS: Final = 4_096


class BlueskyOptions(ConnectorOptions, frozen=True, kw_only=True, tag="bluesky"):
    """Where the stream is, and where the first run begins."""

    every: Annotated[Duration, Meta(description="How often it listens until it has caught up")] = "1m"
    backfill: Annotated[Duration, Meta(description="How far back the first run begins")] = "10m"
    server: Annotated[Url, Meta(description="Where the stream is")] = "https://jetstream2.us-east.bsky.network"


class BlueskyState(Position, frozen=True, kw_only=True):
    """How far the stream was read.

    ``cursor_us``  the latest time of a message, in µs since the epoch; None: none came yet
    ``posts``      the newest posts with links to us, by account and number, and where these lead
    """

    version: Literal[1] = 1
    cursor_us: int | None = None
    posts: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Bluesky(StreamConnector[BlueskyState]):
    """Takes each message as it comes: there are several a second, whoever posts."""

    gap_min = timedelta(minutes=10)

    def __init__(self, options: BlueskyOptions, resources: Resources) -> None:
        super().__init__()
        self._options = options
        self._resources = resources
        self._address = f"{options.server.rstrip('/')}/subscribe"

    def connect(self, position: BlueskyState, now: datetime) -> AbstractAsyncContextManager[Connection]:
        """As of `StreamConnector`."""
        known_sites(self._resources)
        if position.cursor_us is None:
            cursor_us = (to_ms(now) - duration_s(self._options.backfill) * 1_000) * 1_000
        else:
            cursor_us = position.cursor_us - OVERLAP_US
        query = urlencode({"wantedCollections": POSTS, "cursor": str(cursor_us)})
        return self._resources.fetcher.socket(f"{self._address}?{query}")

    def take(self, message: Message, position: BlueskyState, now: datetime) -> Taken[BlueskyState]:
        """As of `StreamConnector`."""
        try:
            told = read_message(message.data)
        except Rejected as rejected:
            value = message.data[:_LETTER_CHARACTERS].encode("utf-8", "replace")
            return Taken([UnreadableRecord(value, rejected, {"url": self._address})], position, None)
        events, posts = self._read(told, position.posts, now)
        after = replace(position, cursor_us=max(position.cursor_us or 0, told.time_us), posts=posts)
        return Taken([found_link(event, url=self._address) for event in events], after, min(told.at, now))

    def _read(
        self, told: Told, posts: dict[str, tuple[str, ...]], now: datetime
    ) -> tuple[list[LinkEvent], dict[str, tuple[str, ...]]]:
        """Return the links that a message says are gained and lost, and the posts to remember after it."""
        at = min(told.at, now)
        if told.account is not None and not told.account.active and told.account.status == "deleted":
            gone = [name for name in posts if name.partition("/")[0] == told.did]
            events = [lost(_address(name), url, "page_gone", at=at) for name in gone for url in posts[name]]
            return events, {name: urls for name, urls in posts.items() if name not in gone} if gone else posts
        commit = told.commit
        if commit is None or commit.collection != POSTS:
            return [], posts
        name = f"{told.did}/{commit.rkey}"
        known = posts.get(name, ())
        if commit.operation == "delete":
            events = [lost(_address(name), url, "page_gone", at=at) for url in known]
            return events, {other: urls for other, urls in posts.items() if other != name} if known else posts
        links = links_of(commit.record, is_ours=known_sites(self._resources))
        urls = tuple(link.url for link in links.values())
        events = [gained(told, commit, link, now=now) for link in links.values()]
        events += [lost(_address(name), url, "removed", at=at) for url in known if url not in urls]
        if urls == known:
            return events, posts
        kept = {other: targets for other, targets in posts.items() if other != name} | ({name: urls} if urls else {})
        return events, _newest(kept)


def _newest(posts: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return as many of the newest posts as a position has room for."""
    left = REMEMBERED_CHARACTERS
    kept: list[str] = []
    for name in islice(reversed(posts), REMEMBERED_POSTS):
        left -= len(name) + sum(map(len, posts[name]))
        if left < 0:
            break
        kept.append(name)
    return {name: posts[name] for name in reversed(kept)}


def _address(name: str) -> str:
    did, _, rkey = name.partition("/")
    return post_address(did, rkey)


KIND: Final = ConnectorKind(
    options=BlueskyOptions,
    state=BlueskyState,
    open=Bluesky,
    about="Posts on Bluesky.",
    unseen="posts that were there before",
)
