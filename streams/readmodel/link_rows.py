"""Links with their evidence: each is kept as the domain keeps it, beside what its events said."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Table, bindparam, case, func, select, tuple_

from flatline.domain.events.look_changes import LookChange, Looked, look_changes
from flatline.domain.events.observation import ArticleKeys, observation_of
from flatline.domain.policy.ignore import Ignored
from flatline.domain.state import link
from flatline.domain.state.article import LinkObservation
from flatline.domain.state.link import Effect, Link
from flatline.domain.state.segment import Segment
from flatline.domain.time import clamped_ms, day_of, stated_ms, to_ms
from flatline.domain.urls.canonical import canonicalize, referring_domain
from flatline.domain.urls.fingerprints import referrer
from flatline.readmodel.address_rows import AT_ONCE, AddressRows
from flatline.readmodel.database import insert_into, upsert
from flatline.readmodel.live_rows import Happened
from flatline.readmodel.records import Record
from flatline.readmodel.source_days import count_events
from flatline.readmodel.tables import link_changes, link_sources, links, storable
from flatline.readmodel.tables import sources as source_table
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected

_KEPT: Final = tuple(column for column in links.c if column.name not in ("article_id", "is_shown"))


@dataclass
class _Seen:
    """What was read of a link event: all of it that counts, and the rest for people."""

    key: str
    page: bytes
    event: LinkEvent
    observation: LinkObservation | None  # None: a suspicion
    at_ms: int
    seen_ms: int


@dataclass
class _Row:
    """A row of `links` while a batch is applied to it."""

    values: dict[str, Any]
    segment: Segment
    is_new: bool
    is_changed: bool = False


@dataclass
class LinkChanges:
    """What a batch changed: ids of articles, links to be shown anew as (article, page), and what happened.

    ``gained_ms``: when the links were first gained whose rows were written
    """

    articles: set[int] = field(default_factory=set)
    pages: set[tuple[int, bytes]] = field(default_factory=set)
    happened: list[Happened] = field(default_factory=list)
    gained_ms: set[int] = field(default_factory=set)


class LinkRows:
    """The rows of links."""

    def __init__(self, connection: Connection, addresses: AddressRows, ignored: Ignored | None) -> None:
        """Leave out the events that are ``ignored``, as the workers do."""
        self._addresses = addresses
        self._ignored = ignored
        self._keys = ArticleKeys()
        self._next_id: int = (connection.scalar(select(func.max(links.c.id))) or 0) + 1

    def apply(self, connection: Connection, records: Iterable[Record]) -> LinkChanges:
        """Apply link records; what can't be read is left out, as the workers do."""
        seen = [each for record in records if (each := self._read(record)) is not None]
        changes = LinkChanges()
        if not seen:
            return changes
        count_events(connection, ((each.event.source, day_of(each.seen_ms)) for each in seen))
        ids = self._addresses.ids(connection, (each.key for each in seen))
        rows = self._rows(connection, {(ids[each.key], each.page) for each in seen})
        sources: dict[tuple[int, str], tuple[int, int]] = {}
        changed: dict[tuple[int, int, str, str], dict[str, Any]] = {}
        for each in seen:
            place = ids[each.key], each.page
            row = rows.get(place)
            if row is None:
                if each.observation is None:
                    continue  # nobody knows the link that may be gone
                row = rows[place] = self._new_row(*place, each)
            self._apply(row, each, sources, changed, changes.happened)
        self._write(connection, rows, sources, changed, changes)
        return changes

    def _read(self, record: Record) -> _Seen | None:
        try:
            event = codec.links.decode(record.value)
            observation = observation_of(event, recorded_ms=record.timestamp, keys=self._keys, ignored=self._ignored)
            if observation is Effect.IGNORED:
                return None
            applied = observation if isinstance(observation, LinkObservation) else None
            page = applied.page if applied else referrer(event.url_from)[0]
            key = self._keys[event.url_to].decode()
        except Rejected:
            return None
        recorded_ms = record.timestamp
        at_ms = (
            applied.at_ms if applied else clamped_ms(stated_ms(event, recorded_ms=recorded_ms), recorded_ms=recorded_ms)
        )
        observed_ms = 0 if event.observed_at is None else to_ms(event.observed_at)
        seen_ms = max(at_ms, clamped_ms(observed_ms, recorded_ms=recorded_ms) if observed_ms else 0)
        return _Seen(key, page, event, applied, at_ms, seen_ms)

    def _rows(self, connection: Connection, places: set[tuple[int, bytes]]) -> dict[tuple[int, bytes], _Row]:
        found: dict[tuple[int, bytes], _Row] = {}
        wanted = sorted(places)
        pair = tuple_(links.c.address_id, links.c.page)
        for at in range(0, len(wanted), AT_ONCE):
            statement = select(*_KEPT).where(pair.in_(wanted[at : at + AT_ONCE]))
            for row in connection.execute(statement).mappings():
                found[row["address_id"], row["page"]] = _Row(dict(row), Segment.decode(row["state"]), is_new=False)
        return found

    def _new_row(self, address_id: int, page: bytes, seen: _Seen) -> _Row:
        number, self._next_id = self._next_id, self._next_id + 1
        values: dict[str, Any] = {column.name: None for column in _KEPT}
        values |= {"id": number, "address_id": address_id, "page": page, "said_ms": -1}
        _say(values, seen.event, said_ms=-1)
        return _Row(values, Segment(), is_new=True, is_changed=True)

    def _apply(
        self,
        row: _Row,
        seen: _Seen,
        sources: dict[tuple[int, str], tuple[int, int]],
        changed: dict[tuple[int, int, str, str], dict[str, Any]],
        happened: list[Happened],
    ) -> None:
        event, observation, number = seen.event, seen.observation, row.values["id"]
        source, reason = event.source or "", event.lost_reason
        change: str | None = None
        if observation is None:
            change = "suspected"
        else:
            effect, is_news = row.segment.apply(
                observation.page,
                observation.domain,
                observation.is_gain,
                observation.at_ms,
                observation.flags_and_traits,
                looked_ms=observation.looked_ms,
                lost_reason=observation.lost_reason,
            )
            row.is_changed |= is_news
            if not observation.is_gain:
                change = "lost"
            elif effect in (Effect.GAINED, Effect.RESTORED):
                change = effect.value
            if observation.is_gain:
                first_ms, last_ms = sources.get((number, source), (seen.at_ms, seen.seen_ms))
                sources[number, source] = min(first_ms, seen.at_ms), max(last_ms, seen.seen_ms)
                for look in _look_changes(row.values, event, said_ms=seen.seen_ms):
                    key = (number, seen.seen_ms, look.kind.value, source)
                    told = {"at_ms": seen.seen_ms, "change": look.kind.value, "reason": look.words or None}
                    changed.setdefault(key, {"link_id": number, "source": source, **told})
                row.is_changed |= _say(row.values, event, said_ms=seen.seen_ms)
            if effect is not Effect.SEEN_AGAIN:
                said = {"change": effect.value, "url_from": row.values["url_from"], "reason": reason, "source": source}
                happened.append(Happened(seen.at_ms, "link", seen.key, said))
        if change is not None:
            changed.setdefault(
                (number, seen.at_ms, change, source),
                {"link_id": number, "at_ms": seen.at_ms, "change": change, "source": source, "reason": reason},
            )

    def _write(
        self,
        connection: Connection,
        rows: dict[tuple[int, bytes], _Row],
        sources: dict[tuple[int, str], tuple[int, int]],
        changed: dict[tuple[int, int, str, str], dict[str, Any]],
        changes: LinkChanges,
    ) -> None:
        new: list[dict[str, Any]] = []
        old: list[dict[str, Any]] = []
        for row in rows.values():
            if not row.is_changed:
                continue
            article_id = self._addresses.article_of(row.values["address_id"])
            values = row.values | {"article_id": article_id, "state": row.segment.encode()}
            values |= shown_values(row.segment.link(0), removed_ms=0)
            (new if row.is_new else old).append(values)
            changes.gained_ms.add(values["first_gained_ms"])
            changes.articles.add(article_id)
            if not self._addresses.is_simple(article_id):
                changes.pages.add((article_id, row.values["page"]))
        if new:
            connection.execute(links.insert(), new)
        upsert(connection, links, old)
        seen = {number for number, _ in sources}
        changes.articles |= {
            self._addresses.article_of(row.values["address_id"]) for row in rows.values() if row.values["id"] in seen
        }
        _write_seen(
            connection,
            link_sources,
            [{"link_id": number, "source": source, **_span(span)} for (number, source), span in sources.items()],
        )
        by_source: dict[str, tuple[int, int]] = {}
        for (_, source), (first_ms, last_ms) in sources.items():
            known = by_source.get(source, (first_ms, last_ms))
            by_source[source] = min(known[0], first_ms), max(known[1], last_ms)
        _write_seen(
            connection,
            source_table,
            [{"source": source, **_span(span)} for source, span in by_source.items() if source],
        )
        upsert(connection, link_changes, list(changed.values()))


def _span(span: tuple[int, int]) -> dict[str, int]:
    return {"first_seen_ms": span[0], "last_seen_ms": span[1]}


def _write_seen(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Widen the spans in which something was seen."""
    if not rows:
        return
    statement = insert_into(connection, table)
    first, last, now = table.c.first_seen_ms, table.c.last_seen_ms, statement.excluded
    widened = {
        "first_seen_ms": case((now.first_seen_ms < first, now.first_seen_ms), else_=first),
        "last_seen_ms": case((now.last_seen_ms > last, now.last_seen_ms), else_=last),
    }
    keys = [column.name for column in table.primary_key]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=widened), rows)


def shown_values(known: Link, *, removed_ms: int) -> dict[str, Any]:
    """Return the columns that say what is shown of a link."""
    return {
        "is_shown": bool(known.flags & link.GAINED) and known.first_gained_ms > removed_ms,
        "first_gained_ms": known.first_gained_ms,
        "newest_ms": known.newest_ms,
        "flags": known.flags,
        "is_live": bool(known.flags & link.LIVE),
        "was_lost": bool(known.flags & link.LOST),
        "is_organic": bool(known.flags & link.ORGANIC),
        "lost_reason": link.lost_reason_of(known.lost_reason),
    }


def _look_changes(values: Mapping[str, Any], event: LinkEvent, *, said_ms: int) -> Iterator[LookChange]:
    """Yield what an event changes in how a link looked, unless something newer is known."""
    if not 0 <= values["said_ms"] <= said_ms:
        return iter(())
    rel = None if values["rel"] is None else values["rel"].split()
    before = Looked(rel, values["anchor"], values["placement"])
    return look_changes(before, Looked(event.rel, event.anchor and storable(event.anchor), event.placement))


def _say(values: dict[str, Any], event: LinkEvent, *, said_ms: int) -> bool:
    """Take what an event says of how a link looks: the newest that says it. Return whether that is news."""
    is_newer = said_ms >= values["said_ms"]
    said = {
        "url_from": event.url_from,
        "url_to": event.url_to,
        "anchor": event.anchor,
        "context": event.context,
        "rel": None if event.rel is None else " ".join(event.rel),
        "placement": event.placement,
        "authority": event.authority,
        "discovery": event.discovery,
        "said_ms": said_ms,
    }
    if (page := event.page) is not None:
        said |= {
            "page_title": page.title,
            "page_author": page.author,
            "page_published_ms": None if page.published_at is None else to_ms(page.published_at),
            "page_type": page.type,
            "page_language": page.language,
        }
    before = dict(values)
    for name, value in said.items():
        if value is not None and (is_newer or values[name] is None):
            values[name] = value
    if values["domain"] is None:
        values["domain"] = referring_domain(canonicalize(event.url_from))
    return values != before


def show_pages(connection: Connection, addresses: AddressRows, pages: set[tuple[int, bytes]]) -> set[int]:
    """Write what is shown of links to articles that have several addresses, or something of which was removed.

    Return when these links were first gained.
    """
    gained_ms: set[int] = set()
    by_article: dict[int, list[bytes]] = {}
    for article_id, page in pages:
        by_article.setdefault(article_id, []).append(page)
    for article_id, wanted in by_article.items():
        for at in range(0, len(wanted), AT_ONCE):
            gained_ms |= _show(connection, addresses, article_id, links.c.page.in_(wanted[at : at + AT_ONCE]))
    return gained_ms


def show_articles(connection: Connection, addresses: AddressRows, article_ids: Iterable[int]) -> set[int]:
    """Write what is shown of all links to articles whose addresses or removals changed.

    Return when these links were first gained.
    """
    gained_ms: set[int] = set()
    for article_id in sorted(article_ids):
        gained_ms |= _show(connection, addresses, article_id, links.c.article_id == article_id)
    return gained_ms


def _show(connection: Connection, addresses: AddressRows, article_id: int, chosen: Any) -> set[int]:
    parts = addresses.parts(connection, [article_id])[article_id]
    removed_ms = max((part.header.removed_ms for part in parts), default=0)
    statement = select(links.c.id, links.c.address_id, links.c.page, links.c.state).where(
        links.c.article_id == article_id, chosen
    )
    by_page: dict[bytes, list[tuple[int, int, bytes]]] = {}
    for number, address_id, page, state in connection.execute(statement):
        by_page.setdefault(page, []).append((number, address_id, state))
    rows: list[dict[str, Any]] = []
    for same in by_page.values():
        # That of the address that the article has now, else the first one that came, stands for all.
        same.sort(key=lambda row: (row[1] != article_id, row[0]))
        joined = Segment.decode(same[0][2])
        for _, _, state in same[1:]:
            for known in Segment.decode(state).known():
                joined.join(known)
        rows.append({"link_id": same[0][0], **shown_values(joined.link(0), removed_ms=removed_ms)})
        rows += [
            {"link_id": number, **shown_values(Segment.decode(state).link(0), removed_ms=removed_ms), "is_shown": False}
            for number, _, state in same[1:]
        ]
    if rows:
        names = [name for name in rows[0] if name != "link_id"]
        connection.execute(
            links.update().where(links.c.id == bindparam("link_id")).values({name: bindparam(name) for name in names}),
            rows,
        )
    return {row["first_gained_ms"] for row in rows}
