"""Lists of links with their evidence."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, func, not_, select

from flatline.domain.quality.factors import LinkQuality
from flatline.domain.time import DAY_MS, to_datetime
from flatline.domain.urls.canonical import InvalidUrl, absolute, canonicalize
from flatline.readmodel.address_rows import chunks
from flatline.readmodel.queries.bounds import Bounds, within
from flatline.readmodel.queries.paging import page_of
from flatline.readmodel.queries.rows import instant
from flatline.readmodel.queries.searching import matches
from flatline.readmodel.queries.views import LinkChange, LinkRow, LinkSighting, Page, ReferringPage
from flatline.readmodel.tables import addresses, articles, link_changes, link_sources, links
from flatline.schema.rejection import Rejected

Sort = Literal["gained", "changed"]

_SORTED: Final[dict[str, ColumnElement[Any]]] = {"gained": links.c.first_gained_ms, "changed": links.c.newest_ms}
_EPOCH: Final = date(1970, 1, 1)
CHANGES_MAX: Final = 100
"""Of one link, the newest."""


class LinkFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which links; all that are not null have to fit."""

    article: Annotated[str, Meta(max_length=4_096, description="Any URL of an article, or its label")] | None = None
    domain: Annotated[str, Meta(max_length=253, description="Registrable domain of the referring page")] | None = None
    source: Annotated[str, Meta(max_length=200, description="A source that saw it")] | None = None
    live: bool | None = None
    lost: Annotated[bool | None, Meta(description="Whether it was ever lost")] = None
    lost_reason: Annotated[str, Meta(max_length=200, description="Why it is lost")] | None = None
    suspected: Annotated[
        bool | None,
        Meta(description="Whether it is live, and somebody has suspected since it was last seen that it is gone"),
    ] = None
    gained_from: Annotated[date | None, Meta(description="First gained on this UTC day or later")] = None
    gained_until: Annotated[date | None, Meta(description="First gained on this UTC day or before")] = None
    q: Annotated[str, Meta(max_length=500, description="Words of anchor, address and title of the page")] | None = None


def article_id_of(connection: Connection, address: str) -> int | None:
    """Return the id of the article at an address, spelled in any way; None where none is known."""
    try:
        key = canonicalize(absolute(address, field="article"))
    except (InvalidUrl, Rejected):
        return None
    found = connection.scalar(select(addresses.c.article_id).where(addresses.c.key == key))
    return None if found is None else int(found)


def current_key(connection: Connection, address: str) -> str | None:
    """Return the canonical URL of the article at an address; None where there is none."""
    number = article_id_of(connection, address)
    key = connection.scalar(select(articles.c.key).where(articles.c.id == number, articles.c.is_there))
    return None if key is None else str(key)


def list_links(
    connection: Connection,
    chosen: LinkFilter,
    *,
    sort: Sort = "gained",
    is_descending: bool = True,
    cursor: str | None = None,
    limit: int = 50,
    quality: Mapping[bytes, LinkQuality] | None = None,
    bounds: Bounds | None = None,
) -> Page[LinkRow]:
    """Return a page of the links that fit and count. Raises CursorError.

    ``quality``: of the links of one article, by the fingerprints of their pages
    """
    statement = (
        select(links, articles.c.key)
        .join(articles, articles.c.id == links.c.article_id)
        .where(links.c.is_shown, *_conditions(connection, chosen), *within(bounds))
    )
    rows, following = page_of(
        connection,
        statement,
        order=f"links {sort} {is_descending} {chosen}",
        column=_SORTED[sort],
        number=links.c.id,
        is_descending=is_descending,
        cursor=cursor,
        limit=limit,
    )
    numbers = [row["id"] for row in rows]
    sightings, changes = _sightings(connection, numbers), _changes(connection, numbers)
    shown = [_link_row(row, sightings[row["id"]], changes[row["id"]], quality or {}) for row in rows]
    return Page(shown, following)


def _conditions(connection: Connection, chosen: LinkFilter) -> list[ColumnElement[bool]]:  # noqa: C901 - one a filter
    conditions: list[ColumnElement[bool]] = []
    if chosen.article is not None:
        conditions.append(links.c.article_id == article_id_of(connection, chosen.article))
    if chosen.domain is not None:
        conditions.append(links.c.domain == chosen.domain.lower())
    if chosen.source is not None:
        seen = select(link_sources.c.link_id).where(
            link_sources.c.link_id == links.c.id, link_sources.c.source == chosen.source
        )
        conditions.append(seen.exists())
    if chosen.live is not None:
        conditions.append(links.c.is_live == chosen.live)
    if chosen.lost is not None:
        conditions.append(links.c.was_lost == chosen.lost)
    if chosen.lost_reason is not None:
        conditions.append(links.c.lost_reason == chosen.lost_reason)
    if chosen.suspected is not None:
        conditions += _suspected() if chosen.suspected else [not_(and_(*_suspected()))]
    if chosen.gained_from is not None:
        conditions.append(links.c.first_gained_ms >= (chosen.gained_from - _EPOCH).days * DAY_MS)
    if chosen.gained_until is not None:
        conditions.append(links.c.first_gained_ms < ((chosen.gained_until - _EPOCH).days + 1) * DAY_MS)
    if chosen.q is not None:
        conditions.append(matches("link_search", chosen.q))
    return conditions


def _suspected() -> list[ColumnElement[bool]]:
    suspicions = link_changes.c
    suspicion = select(suspicions.link_id).where(suspicions.change == "suspected")
    newer = suspicion.where(suspicions.link_id == links.c.id, suspicions.at_ms > links.c.newest_ms)
    # There are few suspicions, and an index of them: not every link is looked at.
    return [links.c.is_live, links.c.id.in_(suspicion), newer.exists()]


def _sightings(connection: Connection, numbers: Sequence[int]) -> defaultdict[int, list[LinkSighting]]:
    found: defaultdict[int, list[LinkSighting]] = defaultdict(list)
    for chunk in chunks(numbers):
        statement = (
            select(link_sources)
            .where(link_sources.c.link_id.in_(chunk))
            .order_by(link_sources.c.link_id, link_sources.c.first_seen_ms, link_sources.c.source)
        )
        for row in connection.execute(statement):
            sighting = LinkSighting(row.source or None, to_datetime(row.first_seen_ms), to_datetime(row.last_seen_ms))
            found[row.link_id].append(sighting)
    return found


def _changes(connection: Connection, numbers: Sequence[int]) -> defaultdict[int, list[LinkChange]]:
    found: defaultdict[int, list[LinkChange]] = defaultdict(list)
    columns = link_changes.c
    for chunk in chunks(numbers):
        place = func.row_number().over(
            partition_by=columns.link_id, order_by=(columns.at_ms.desc(), columns.change, columns.source)
        )
        ranked = select(link_changes, place.label("place")).where(columns.link_id.in_(chunk)).subquery()
        statement = select(ranked).where(ranked.c.place <= CHANGES_MAX).order_by(ranked.c.link_id, ranked.c.place)
        for row in connection.execute(statement):
            change = LinkChange(to_datetime(row.at_ms), row.change, row.source or None, row.reason)
            found[row.link_id].append(change)
    return found


def _link_row(
    row: RowMapping,
    sources: list[LinkSighting],
    changes: list[LinkChange],
    quality: Mapping[bytes, LinkQuality],
) -> LinkRow:
    weighed = quality.get(row["page"])
    return LinkRow(
        article=row["key"],
        url_from=row["url_from"],
        domain=row["domain"],
        url_to=row["url_to"],
        anchor=row["anchor"],
        context=row["context"],
        rel=None if row["rel"] is None else row["rel"].split(),
        placement=row["placement"],
        page=ReferringPage(
            row["page_title"],
            row["page_author"],
            instant(row["page_published_ms"]),
            row["page_type"],
            row["page_language"],
        ),
        authority=row["authority"],
        discovery=row["discovery"],
        first_gained_at=to_datetime(row["first_gained_ms"]),
        is_live=row["is_live"],
        was_lost=row["was_lost"],
        lost_reason=row["lost_reason"],
        changed_at=to_datetime(row["newest_ms"]),
        is_sign_of_life=row["is_organic"],
        quality=None if weighed is None else round(weighed.quality, 2),
        why=[] if weighed is None else [sign.phrase for sign in weighed.signs],
        sources=sources,
        changes=changes,
    )
