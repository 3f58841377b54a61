"""The connector: listens to the stream, and goes on after the last event that Kafka has."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode

from msgspec import Meta
from msgspec.structs import replace

from flatline.schema.limits import Url
from flatline.schema.rejection import Rejected
from flatline_connectors.fetching.connections import Connection
from flatline_connectors.fetching.sse import Message
from flatline_connectors.runtime.config import ConnectorOptions, Duration, duration_s
from flatline_connectors.runtime.connector import ConnectorKind, Resources, UnreadableRecord, found_link
from flatline_connectors.runtime.own_sites import known_sites
from flatline_connectors.runtime.streams import Position, StreamConnector, Taken
from flatline_connectors.wikimedia.changes import events_of, read_change

STREAM: Final = "mediawiki.page-links-change"
_LETTER_CHARACTERS: Final = 4_096


class WikimediaOptions(ConnectorOptions, frozen=True, kw_only=True, tag="wikimedia"):
    """Where the stream is, and where the first run begins."""

    every: Annotated[Duration, Meta(description="How often it listens until it has caught up")] = "1m"
    backfill: Annotated[Duration, Meta(description="How far back the first run begins")] = "10m"
    server: Annotated[Url, Meta(description="Where the streams are")] = "https://stream.wikimedia.org"


class WikimediaState(Position, frozen=True, kw_only=True):
    """How far the stream was read: the id of the last event, as the server gave it."""

    version: Literal[1] = 1
    last_event_id: str = ""


class Wikimedia(StreamConnector[WikimediaState]):
    """Takes each event as it comes. Canary events, at least one an hour, show that the stream is alive."""

    gap_min = timedelta(hours=2)

    def __init__(self, options: WikimediaOptions, resources: Resources) -> None:
        super().__init__()
        self._options = options
        self._resources = resources
        self._address = f"{options.server.rstrip('/')}/v2/stream/{STREAM}"

    def connect(self, position: WikimediaState, now: datetime) -> AbstractAsyncContextManager[Connection]:
        """As of `StreamConnector`."""
        known_sites(self._resources)
        if position.last_event_id:
            return self._resources.fetcher.events(self._address, last_event_id=position.last_event_id)
        since = position.at or now - timedelta(seconds=duration_s(self._options.backfill))
        query = urlencode({"since": f"{since:%Y-%m-%dT%H:%M:%SZ}"})
        return self._resources.fetcher.events(f"{self._address}?{query}")

    def take(self, message: Message, position: WikimediaState, now: datetime) -> Taken[WikimediaState]:
        """As of `StreamConnector`."""
        after = replace(position, last_event_id=message.id or position.last_event_id)
        try:
            change = read_change(message.data)
            at = min(change.at, now)
            events = events_of(change, is_ours=known_sites(self._resources))
        except Rejected as rejected:
            value = message.data[:_LETTER_CHARACTERS].encode("utf-8", "replace")
            return Taken([UnreadableRecord(value, rejected, {"url": self._address, "event": message.id})], after, None)
        return Taken([found_link(event, url=self._address) for event in events], after, at)


KIND: Final = ConnectorKind(
    options=WikimediaOptions,
    state=WikimediaState,
    open=Wikimedia,
    about="Links that the wikis of Wikimedia gain and lose.",
    unseen="links that were there before",
)
