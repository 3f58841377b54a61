"""Annotations, the newest day first."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Final

from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, Connection, RowMapping, Select, and_, or_, select

from flatline.domain.sites import host_of
from flatline.domain.time import to_datetime
from flatline.readmodel.queries.bounds import Bounds, is_within
from flatline.readmodel.queries.links import article_id_of
from flatline.readmodel.queries.moves import stored_sites
from flatline.readmodel.queries.views import AnnotationRow
from flatline.readmodel.tables import addresses, annotations

ANNOTATIONS_MAX: Final = 1_000
"""Of a list, those of the newest days."""

_articles: Final = addresses.alias("articles_of_annotations")


class AnnotationFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which annotations; all that are not null have to fit."""

    article: (
        Annotated[
            str,
            Meta(max_length=4_096, description="Those that its curve shows: on it, on its site, and on everything"),
        ]
        | None
    ) = None
    day_from: Annotated[date | None, Meta(description="Of this UTC day or later")] = None
    day_until: Annotated[date | None, Meta(description="Of this UTC day or before")] = None


def list_annotations(
    connection: Connection, chosen: AnnotationFilter, *, bounds: Bounds | None = None
) -> list[AnnotationRow]:
    """Return at most ANNOTATIONS_MAX that fit; within bounds, those on articles and sites that are."""
    conditions: list[ColumnElement[bool]] = [~annotations.c.is_removed]
    if chosen.article is not None:
        number = article_id_of(connection, chosen.article)
        key = connection.scalar(select(addresses.c.key).where(addresses.c.id == number))
        if number is None or key is None:
            return []
        conditions.append(_shown_with(connection, number, key))
    if chosen.day_from is not None:
        conditions.append(annotations.c.day >= chosen.day_from.isoformat())
    if chosen.day_until is not None:
        conditions.append(annotations.c.day <= chosen.day_until.isoformat())
    rows = _rows(connection, _statement().where(*conditions))
    if bounds is None:
        return rows
    may_see = is_within(connection, bounds)
    return [row for row in rows if (key := key_of_subject(row.article, row.site)) is not None and may_see(key)]


def annotations_of(connection: Connection, article_id: int, key: str) -> list[AnnotationRow]:
    """Return those that an article's curve shows: on it, on its site, and on everything."""
    return _rows(connection, _statement().where(~annotations.c.is_removed, _shown_with(connection, article_id, key)))


def find_annotation(connection: Connection, number: str) -> AnnotationRow | None:
    """Return the annotation with an id; None where there is none, or it was removed."""
    found = _rows(connection, _statement().where(annotations.c.id == number, ~annotations.c.is_removed))
    return found[0] if found else None


def key_of_subject(article: str | None, site: str | None) -> str | None:
    """Return the article key whose bounds an annotation's are: of a site its front page; None: it is on everything."""
    return f"https://{site}/" if article is None and site is not None else article


def _statement() -> Select[tuple[object, ...]]:
    columns = annotations.c
    return (
        select(annotations, _articles.c.key.label("article"))
        .outerjoin(addresses, addresses.c.id == columns.address_id)
        .outerjoin(_articles, _articles.c.id == addresses.c.article_id)
        .order_by(columns.day.desc(), columns.annotated_ms.desc(), columns.id)
        .limit(ANNOTATIONS_MAX)
    )


def _shown_with(connection: Connection, article_id: int, key: str) -> ColumnElement[bool]:
    columns, hosts = annotations.c, {*_with_those_above(host_of(key))}
    if (record := stored_sites(connection).of(key)) is not None:
        hosts.add(record.domain)  # the article may be on another host of the same site
    own = select(addresses.c.id).where(addresses.c.article_id == article_id)
    return or_(
        columns.address_id.in_(own),
        columns.site.in_(sorted(hosts)),
        and_(columns.address_id.is_(None), columns.site.is_(None)),
    )


def _with_those_above(host: str) -> Iterator[str]:
    while host:
        yield host
        host = host.partition(".")[2]


def _rows(connection: Connection, statement: Select[tuple[object, ...]]) -> list[AnnotationRow]:
    return [_row(row) for row in connection.execute(statement).mappings()]


def _row(row: RowMapping) -> AnnotationRow:
    return AnnotationRow(
        id=row["id"],
        day=date.fromisoformat(row["day"]),
        text=row["text"],
        article=row["article"],
        site=row["site"],
        by=row["by"],
        annotated_at=to_datetime(row["annotated_ms"]),
    )
