"""Records for a read model, and a reference that counts from them in another way."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select

from flatline.domain.imports.imports import key_of_import
from flatline.domain.policy.policy import Policy
from flatline.domain.time import to_datetime, to_ms
from flatline.readmodel.database import Database
from flatline.readmodel.projection import Projection
from flatline.readmodel.sqlite_file import SqliteFile
from flatline.readmodel.tables import articles, links, metadata, sources
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.link_event import LinkEvent
from flatline.schema.move import Move
from flatline.schema.recognised_import import LabellingSource, RecognisedImport
from flatline.schema.removal import Removal
from flatline.schema.site_record import SiteRecord
from flatline.schema.topics import Topic, Topics

TOPICS = Topics(namespace="test", partitions=1)
NOW_MS = to_ms(to_datetime(1_790_000_000_000))


class Read(NamedTuple):
    """A record as the Kafka client gives it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Log:
    """Topics in memory, and a read model that can be made of them in any pieces."""

    def __init__(self) -> None:
        self.records: dict[str, list[Read]] = defaultdict(list)

    def write(
        self,
        topic: Topic,
        value: bytes | None,
        *,
        key: bytes | None = b"",
        at_ms: int = NOW_MS,
        headers: Sequence[tuple[str, bytes]] = (),
    ) -> None:
        """Append a record."""
        written = self.records[topic.name]
        written.append(Read(len(written), at_ms, key, value, headers))

    def say(self, *events: object) -> None:
        """Append events to the topics of their types."""
        for event in events:
            match event:
                case LinkEvent():
                    self.write(TOPICS.links, codec.links.encode(event))
                case ArticleRecord():
                    self.write(TOPICS.articles, codec.articles.encode(event))
                case Removal():
                    self.write(TOPICS.removals, codec.removals.encode(event))
                case SiteRecord():
                    self.write(TOPICS.sites, codec.sites.encode(event), key=event.domain.encode())
                case RecognisedImport():
                    key = key_of_import((event.source, to_ms(event.occurred_at)))
                    self.write(TOPICS.imports, codec.imports.encode(event), key=key)
                case LabellingSource():
                    value = codec.labelling_sources.encode(event)
                    self.write(TOPICS.imports, value, key=event.source.encode())
                case Move():
                    self.write(TOPICS.moves, codec.moves.encode(event), key=msgspec.json.encode((event.old, event.new)))
                case _:
                    raise TypeError(event)

    def batch(self) -> dict[tuple[str, int], list[Read]]:
        """Return all records."""
        return {(topic, 0): list(records) for topic, records in self.records.items()}


def database(folder: Path, name: str = "test") -> Database:
    """Return an empty read model, in a file."""
    return SqliteFile(folder / f"{name}.db", readers=2, deadline_s=60)


def projected(log: Log, made: Database) -> Database:
    """Return a read model of all records."""
    Projection(made, TOPICS, Policy()).apply(log.batch())
    return made


def dump(made: Database, *, without: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables."""
    with made.reading() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
            if table.name not in without
        }


class Counts(NamedTuple):
    """Of one article."""

    gained: int
    lost: int
    live: int
    domains: int
    lost_reasons: list[tuple[str, str | None]]  # of links that are not live, by their pages


def counted(made: Database) -> dict[str, Counts]:
    """Return what the read model says of each article that has a link."""
    columns = articles.c
    with made.reading() as connection:
        rows = connection.execute(
            select(columns.key, columns.gained, columns.lost, columns.live, columns.domains).where(columns.gained > 0)
        )
        lost = select(articles.c.key, links.c.url_from, links.c.lost_reason).where(
            links.c.article_id == articles.c.id, links.c.is_shown, ~links.c.is_live
        )
        reasons: defaultdict[str, list[tuple[str, str | None]]] = defaultdict(list)
        for key, page, reason in connection.execute(lost):
            reasons[key].append((page, reason))
        return {key: Counts(*counts, sorted(reasons[key])) for key, *counts in rows}


class SourceCounts(NamedTuple):
    """Of the links that a source saw."""

    links: int
    only_here: int
    first_here: int
    corroborated: int
    dead: int


def counted_by_source(made: Database) -> dict[str, SourceCounts]:
    """Return what is counted of each source that is named."""
    with made.reading() as connection:
        rows = connection.execute(select(sources.c.source, *(sources.c[name] for name in SourceCounts._fields)))
        return {source: SourceCounts(*counts) for source, *counts in rows if counts[0]}


def signs_of_life(made: Database) -> set[tuple[str, str]]:
    """Return the links that are signs of life, as (article, page)."""
    with made.reading() as connection:
        chosen = select(articles.c.key, links.c.url_from).where(
            links.c.article_id == articles.c.id, links.c.is_shown, links.c.is_organic
        )
        return {(key, page) for key, page in connection.execute(chosen)}


@dataclass
class _Link:
    gains: list[int] = field(default_factory=list)
    found: list[tuple[int, str]] = field(default_factory=list)
    losses: list[int] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)
    gained_by: list[tuple[int, str]] = field(default_factory=list)
    reasons: list[tuple[int, str]] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        """Whether the newest change is a gain."""
        return max(self.gains) >= max(self.losses, default=0)

    @property
    def reason(self) -> str | None:
        """The reason of the newest loss; only the vocabulary's first is ever said."""
        return next((reason for at_ms, reason in self.reasons if at_ms == max(self.losses)), None)


def _current(moves: Iterable[Move]) -> Callable[[str], str]:
    """Return what tells where an address is now."""
    newest: dict[tuple[str, str], Move] = {}
    for move in moves:
        known = newest.get((move.old, move.new))
        if known is None or (move.decided_at, move.is_undone) > (known.decided_at, known.is_undone):
            newest[move.old, move.new] = move

    def current(address: str) -> str:
        holding = [move for move in newest.values() if move.old == address and not move.is_undone]
        return current(max(holding, key=lambda move: (move.decided_at, move.new)).new) if holding else address

    return current


def reference(events: Iterable[object]) -> dict[str, Counts]:
    """Count from the events themselves. Addresses are canonical, moves lead from single addresses and in no circle.

    No address with a query moves, and a site that has a record ignores what is called promo.
    """
    return {
        article: Counts(
            len(counts),
            sum(bool(link.losses) for link in counts.values()),
            sum(link.is_live for link in counts.values()),
            len({page.split("/")[2] for page in counts}),
            sorted((page, link.reason) for page, link in counts.items() if not link.is_live),
        )
        for article, counts in _links_that_count(events).items()
    }


def reference_by_source(events: Iterable[object]) -> dict[str, SourceCounts]:
    """Count what each source saw, from the events themselves."""
    found: defaultdict[str, list[_Link]] = defaultdict(list)
    for counts in _links_that_count(events).values():
        for link in counts.values():
            for source in link.sources - {""}:
                found[source].append(link)
    counted: dict[str, SourceCounts] = {}
    for source, seen in found.items():
        first = [link for link in seen if (min(link.gains), source) in link.gained_by]
        counted[source] = SourceCounts(
            links=len(seen),
            only_here=sum(link.sources | {"recheck"} == {source, "recheck"} for link in seen)
            if source != "recheck"
            else sum(link.sources == {source} for link in seen),
            first_here=len(first),
            corroborated=sum(len(link.sources) > 1 for link in first),
            dead=sum(not link.is_live for link in first),
        )
    return counted


def reference_signs_of_life(events: Iterable[object]) -> set[tuple[str, str]]:
    """Return the links that were new when first gained, and which no source imported then."""
    events = list(events)
    labelling = {event.source for event in events if isinstance(event, LabellingSource)}
    imports = {
        (to_ms(event.occurred_at), event.source)
        for event in events
        if isinstance(event, RecognisedImport) and event.source not in labelling
    }
    return {
        (article, page)
        for article, counts in _links_that_count(events).items()
        for page, link in counts.items()
        if any(at_ms == min(link.gains) for at_ms, _ in link.found)
        and not any(
            (min(link.gains), source) in imports for at_ms, source in link.gained_by if at_ms == min(link.gains)
        )
    }


def _links_that_count(events: Iterable[object]) -> dict[str, dict[str, _Link]]:
    """Return the links of each article by their pages."""
    events = list(events)
    moved = _current(event for event in events if isinstance(event, Move))
    is_ignoring = any(isinstance(event, SiteRecord) for event in events)

    def current(address: str) -> str:
        return moved(address.removesuffix("?promo=1") if is_ignoring else address)

    known: defaultdict[str, defaultdict[str, _Link]] = defaultdict(lambda: defaultdict(_Link))
    removed: dict[str, int] = {}
    for event in events:
        if isinstance(event, Removal):
            article = current(event.url)
            removed[article] = max(removed.get(article, 0), to_ms(event.removed_at))
        if isinstance(event, LinkEvent) and event.lost_reason != "timeout" and event.change != "suspected":
            assert event.occurred_at is not None
            link = known[current(event.url_to)][event.url_from]
            (link.gains if event.change == "gained" else link.losses).append(to_ms(event.occurred_at))
            if event.lost_reason is not None:
                link.reasons.append((to_ms(event.occurred_at), event.lost_reason))
            if event.change == "gained":
                link.sources.add(event.source or "")
                link.gained_by.append((to_ms(event.occurred_at), event.source or ""))
                if event.discovery == "link_found":
                    link.found.append(link.gained_by[-1])
    found: dict[str, dict[str, _Link]] = {}
    for article, of_article in known.items():
        counts = {
            page: link for page, link in of_article.items() if link.gains and min(link.gains) > removed.get(article, 0)
        }
        if counts:
            found[article] = counts
    return found
