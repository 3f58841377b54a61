"""What is known of each article altogether: its registration, and the sums of its links."""

from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, func, not_, or_, select, update

from flatline.domain.state.addresses import is_there
from flatline.domain.state.segment import Segment
from flatline.readmodel.address_rows import AddressRows, chunks, shown_header
from flatline.readmodel.owners import owner_of
from flatline.readmodel.tables import addresses as address_table
from flatline.readmodel.tables import article_sources, articles, link_sources, links, sources, visits
from flatline.readmodel.verdict_rows import ensure_articles
from flatline.schema.limits import RECHECK_SOURCE

_OF_SOURCE: Final = ("links", "only_here", "first_here", "corroborated", "dead")


def sum_up(
    connection: Connection, addresses: AddressRows, article_ids: Collection[int], *, links_bring_back: bool
) -> None:
    """Write the rows of articles of which something changed."""
    for chunk in chunks(sorted(article_ids)):
        _sum_up(connection, addresses, [int(each) for each in chunk], links_bring_back=links_bring_back)


def _sum_up(connection: Connection, addresses: AddressRows, article_ids: list[int], *, links_bring_back: bool) -> None:
    keys = dict(
        connection.execute(
            select(address_table.c.id, address_table.c.key).where(address_table.c.id.in_(article_ids))
        ).all()
    )
    ensure_articles(connection, keys)
    _sum_up_sources(connection, article_ids)
    sums = _sums(connection, article_ids)
    samples = _samples(connection, article_ids)
    visited = set(
        connection.scalars(
            select(address_table.c.article_id)
            .where(address_table.c.article_id.in_(article_ids))
            .where(select(visits.c.day).where(visits.c.address_id == address_table.c.id).exists())
        )
    )
    rows: list[dict[str, Any]] = []
    for number, parts in addresses.parts(connection, article_ids).items():
        key, owner = keys[number].encode(), owner_of(addresses.sites, keys[number])
        if not parts:
            rows.append({**_row(number, None, is_there=False), "owner": owner})
            continue
        article = shown_header(key, parts, samples.get(number))
        registered, removed_ms = article.header.registration, article.header.removed_ms
        there = is_there(article, links_bring_back=links_bring_back) or (number in visited and not removed_ms)
        rows.append(
            {
                **_row(number, sums.get(number), is_there=there),
                "owner": owner,
                "title": registered.title,
                "author": registered.author,
                "series": registered.series,
                "strategy": registered.strategy,
                "tier": registered.tier,
                "published_ms": registered.published_ms,
                "removed_ms": removed_ms,
            }
        )
    for same in ([row for row in rows if "title" in row], [row for row in rows if "title" not in row]):
        if same:
            names = [name for name in same[0] if name != "article"]
            statement = update(articles).where(articles.c.id == bindparam("article"))
            connection.execute(statement.values({name: bindparam(name) for name in names}), same)


def _row(number: int, sums: Any, *, is_there: bool) -> dict[str, Any]:
    names = ("gained", "lost", "live", "domains")
    return {
        "article": number,
        "is_there": is_there,
        **{name: getattr(sums, name) if sums else 0 for name in names},
        "first_gained_ms": sums.first_gained_ms if sums else None,
        "last_gained_ms": sums.last_gained_ms if sums else None,
    }


def _sums(connection: Connection, article_ids: list[int]) -> dict[int, Any]:
    statement = (
        select(
            links.c.article_id,
            func.count().label("gained"),
            func.sum(case((links.c.was_lost, 1), else_=0)).label("lost"),
            func.sum(case((links.c.is_live, 1), else_=0)).label("live"),
            func.count(links.c.domain.distinct()).label("domains"),
            func.min(links.c.first_gained_ms).label("first_gained_ms"),
            func.max(links.c.first_gained_ms).label("last_gained_ms"),
        )
        .where(links.c.article_id.in_(article_ids), links.c.is_shown)
        .group_by(links.c.article_id)
    )
    return {row.article_id: row for row in connection.execute(statement)}


def _sum_up_sources(connection: Connection, article_ids: list[int]) -> None:
    """Write how many links to each of these articles each source saw, and by how much that changes its sums."""
    own = article_sources.c.article_id.in_(article_ids)
    changes: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in connection.execute(select(article_sources).where(own)).mappings():
        changes[row["source"]].subtract({name: row[name] for name in _OF_SOURCE})
    connection.execute(article_sources.delete().where(own))
    rows = [dict(row) for row in connection.execute(_by_source(article_ids)).mappings()]
    if rows:
        connection.execute(article_sources.insert(), rows)
    for counted in rows:
        changes[counted["source"]].update({name: counted[name] for name in _OF_SOURCE})
    changed = [
        {"its_source": source, **{f"more_{name}": more[name] for name in _OF_SOURCE}}
        for source, more in changes.items()
        if any(more.values())
    ]
    if changed:
        columns = sources.c
        statement_of_sums = (
            update(sources)
            .where(columns.source == bindparam("its_source"))
            .values({name: columns[name] + bindparam(f"more_{name}") for name in _OF_SOURCE})
        )
        connection.execute(statement_of_sums, changed)


def _by_source(article_ids: list[int]) -> Select[Any]:
    """Return what counts, by article and source, what that source saw."""
    link_id = links.c.id
    is_recheck = link_sources.c.source == RECHECK_SOURCE
    seen = (
        select(
            links.c.article_id,
            links.c.is_live,
            link_sources.c.source,
            (link_sources.c.first_seen_ms == func.min(link_sources.c.first_seen_ms).over(partition_by=link_id)).label(
                "is_first"
            ),
            func.count().over(partition_by=link_id).label("witnesses"),
            # Whoever looks again at known links takes nothing from those who found them.
            func.sum(case((is_recheck, 0), else_=1)).over(partition_by=link_id).label("finders"),
        )
        .join(link_sources, link_sources.c.link_id == links.c.id)
        .where(links.c.article_id.in_(article_ids), links.c.is_shown)
        .subquery()
    )
    of = seen.c

    def number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((and_(*conditions), 1), else_=0))

    return select(
        of.article_id,
        of.source,
        func.count().label("links"),
        number(or_(of.witnesses == 1, and_(of.finders == 1, of.source != RECHECK_SOURCE))).label("only_here"),
        number(of.is_first).label("first_here"),
        number(of.is_first, of.witnesses > 1).label("corroborated"),
        number(of.is_first, not_(of.is_live)).label("dead"),
    ).group_by(of.article_id, of.source)


def _samples(connection: Connection, article_ids: list[int]) -> dict[int, Segment]:
    """Return one link of each article that has any, one that counts where there is one."""
    found: dict[int, Segment] = {}
    for shown in (True, False):
        numbers = select(func.min(links.c.id)).where(
            links.c.article_id.in_([number for number in article_ids if number not in found]), links.c.is_shown == shown
        )
        chosen = numbers.group_by(links.c.article_id)
        statement = select(links.c.article_id, links.c.state).where(links.c.id.in_(chosen))
        found |= {number: Segment.decode(state) for number, state in connection.execute(statement)}
    return found
