"""The connector: reads feeds in rounds, one after the other, and the pages of entries that are only summarised."""

import asyncio
import logging
from bisect import bisect_left
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.errors import ConnectorError
from flatline_connectors.feeds import following
from flatline_connectors.feeds.entries import read_entries
from flatline_connectors.feeds.following import FeedPosition, Followed, WaitingPage
from flatline_connectors.feeds.opml import feeds_of
from flatline_connectors.fetching.fetcher import HTML
from flatline_connectors.fetching.outcomes import Action, Fetched, Outcome, Validators
from flatline_connectors.own_site.reading import ACCEPTED
from flatline_connectors.pages.feeds import NoFeed
from flatline_connectors.pages.links import html_text, read_html
from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.connector import (
    LETTER_BYTES,
    ConnectorKind,
    FoundRecord,
    PollResult,
    Resources,
    UnreadableRecord,
    found_link,
)
from flatline_connectors.runtime.own_sites import known_sites
from flatline_connectors.runtime.second_chances import SecondChances

FEEDS_MAX: Final = 200
ATTEMPTS: Final = 3
"""How often a page is fetched that can't be read, once in each round."""
GIVEN_UP_AFTER: Final = timedelta(days=7)
"""A feed that can't be read for so long does not keep the others' heartbeat back any more. It is still asked for."""

_FEEDS: Final = ACCEPTED | HTML  # which some servers say of feeds

Record = FoundRecord | UnreadableRecord
_Read = tuple[list[Record], FeedPosition]

_log = logging.getLogger(__name__)


class FeedsOptions(ConnectorOptions, frozen=True, kw_only=True, tag="feeds"):
    """Which feeds are read."""

    feeds: Annotated[tuple[Url, ...], Meta(description="Addresses of feeds, RSS or Atom")] = ()
    opml: Annotated[str | None, Meta(description="A file with more of them, as feed readers export it")] = None


class FeedsState(msgspec.Struct, frozen=True, kw_only=True):
    """How far the feeds were read. ``turn``: the feed that is next in this round; None: the round is over."""

    version: Literal[1] = 1
    round: int = 0
    turn: str | None = None
    feeds: dict[str, FeedPosition] = {}


class FeedsUnknown(ConnectorError):
    """No feeds are named, or too many."""

    remedy = "Name them in connectors.toml: feeds = ['https://theirs.example/feed'], or opml = 'feeds.opml'."


class Feeds:
    """One poll reads one feed or one page.

    A feed that fails is asked again, once and with the patience that it asks for. Then it is left out of the round, so
    that one server does not keep all others from being read.
    """

    def __init__(self, options: FeedsOptions, resources: Resources) -> None:
        self._options = options
        self._resources = resources
        self._second_chances = SecondChances()

    async def poll(self, state: FeedsState, now: datetime) -> PollResult[FeedsState]:
        """Read what is next. Raise `PollFailed`, and a `ConnectorError` where somebody has to say something."""
        feeds = self._feeds()
        if state.turn is None:
            known = {url: position for url, position in state.feeds.items() if url in feeds}
            state = FeedsState(round=state.round + 1, turn=feeds[0], feeds=known)
        rest = feeds[bisect_left(feeds, state.turn or "") :]
        if not rest:  # the last one is no longer in the list
            return _result(replace(state, turn=None), [], now)
        feed = rest[0]
        position = state.feeds.get(feed, FeedPosition())
        page = _waiting(position, state.round)
        if position.round != state.round and not position.is_gone:
            records, position = await self._read_feed(feed, position, state.round, now)
        elif page is not None:
            records, position = await self._read_page(position, page, state.round, now)
        else:
            records = []
        turn = feed if _waiting(position, state.round) else next(iter(rest[1:]), None)
        return _result(replace(state, turn=turn, feeds={**state.feeds, feed: position}), records, now)

    def _feeds(self) -> list[str]:
        """Return all feeds, in the order in which they are read. Raise `FeedsUnknown` and `OpmlError`."""
        feeds = {*self._options.feeds}
        if self._options.opml is not None:
            feeds |= {*feeds_of(self._resources.folder / self._options.opml)}
        if not feeds:
            raise FeedsUnknown("No feed is named.")
        if len(feeds) > FEEDS_MAX:
            raise FeedsUnknown(f"{len(feeds):,} feeds are named, and one section of the file can have {FEEDS_MAX:,}.")
        return sorted(feeds)

    async def _read_feed(self, feed: str, position: FeedPosition, round_number: int, now: datetime) -> _Read:
        validators = Validators(position.etag, position.last_modified)
        page = await self._resources.fetcher.fetch(position.url or feed, accepted=_FEEDS, validators=validators)
        self._second_chances.check(feed, page)
        position = replace(position, round=round_number)
        if page.outcome.action is not Action.USE:
            return [], _failed(feed, position, page, now)
        position = replace(position, failing_since=None, url=page.url if page.is_moved else position.url)
        if page.outcome is Outcome.NOT_MODIFIED:
            return [], replace(position, read_at=now)
        try:
            entries = await asyncio.to_thread(read_entries, page.body, page.url, is_ours=known_sites(self._resources))
        except NoFeed as error:
            letter = UnreadableRecord(
                page.body[:LETTER_BYTES], Rejected(Reason.INVALID_VALUE, str(error)), {"url": feed}
            )
            return [letter], replace(position, failing_since=position.failing_since or now)
        found = following.follow(position, entries, read_at=now)
        read = replace(found.position, etag=page.validators.etag, last_modified=page.validators.last_modified)
        return _records(found, feed), read

    async def _read_page(self, position: FeedPosition, page: WaitingPage, round_number: int, now: datetime) -> _Read:
        fetched = await self._resources.fetcher.fetch(page.url)
        if fetched.outcome is Outcome.FETCHED:
            read = partial(
                read_html, html_text(fetched.body, fetched.charset), fetched.url, is_wanted=known_sites(self._resources)
            )
            links = (await asyncio.to_thread(read)).links
            return _followed(following.found_on_page(position, page, links, read_at=now), page)
        if fetched.outcome is Outcome.GONE:
            return _followed(following.page_is_gone(position, page, read_at=now), page)
        if fetched.outcome.action in {Action.RETRY, Action.WAIT} and page.attempts + 1 < ATTEMPTS:
            return [], following.page_is_tried_later(position, page, round_number=round_number)
        return _followed(following.page_is_unreadable(position, page, read_at=now), page)


def _failed(feed: str, position: FeedPosition, page: Fetched, now: datetime) -> FeedPosition:
    """Return the position of a feed that can't be read."""
    _log.warning("%s can't be read: %s", feed.partition("?")[0], page.outcome)
    is_gone = page.outcome is Outcome.GONE
    return replace(position, is_gone=is_gone, failing_since=None if is_gone else position.failing_since or now)


def _followed(found: Followed, page: WaitingPage) -> _Read:
    return _records(found, page.url), found.position


def _records(found: Followed, url: str) -> list[Record]:
    return [found_link(event, url=url) for event in found.events]


def _waiting(position: FeedPosition, round_number: int) -> WaitingPage | None:
    """Return the first page of a feed that was not tried in this round."""
    return next((page for page in position.pages if page.round != round_number), None)


def _result(state: FeedsState, records: list[Record], now: datetime) -> PollResult[FeedsState]:
    """Return the result of a poll. At the end of a round all was seen, unless a feed fails, and not for long yet."""
    if state.turn is not None:
        return PollResult(records, state, is_complete=False)
    failing = (position.failing_since for position in state.feeds.values())
    has_all = all(since is None or now - since >= GIVEN_UP_AFTER for since in failing)
    return PollResult(records, state, is_complete=True, seen_until=now if has_all else None)


KIND: Final = ConnectorKind(
    options=FeedsOptions,
    state=FeedsState,
    open=Feeds,
    about="Links in other people's feeds.",
    unseen="links on pages that no feed shows",
    parts="feeds",
)
