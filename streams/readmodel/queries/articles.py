"""Lists of articles."""

from collections.abc import Collection
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct
from sqlalchemy import ColumnElement, Connection, case, false, func, select

from flatline.readmodel.queries.bounds import Bounds, within
from flatline.readmodel.queries.paging import page_of
from flatline.readmodel.queries.rows import article_row
from flatline.readmodel.queries.searching import matches
from flatline.readmodel.queries.views import ArticleRow, Page, Summary
from flatline.readmodel.tables import ARTICLE_ORDER, article_sources, articles
from flatline.schema.verdict import State

Sort = Literal["article", "gained", "live", "domains", "last_gained", "since", "probability", "score", "attention"]

# What needs somebody: by state, and within one by the score.
_ATTENTION: Final = case(
    {State.SILENT.value: 4.0, State.COOLING.value: 3.0, State.REVIVED.value: 2.0, State.GROWING.value: 1.0},
    value=articles.c.state,
    else_=0.0,
) + func.coalesce(articles.c.score / 2, 0.0)

_SORTED: Final[dict[str, ColumnElement[Any]]] = {
    "article": ARTICLE_ORDER,
    "gained": articles.c.gained,
    "live": articles.c.live,
    "domains": articles.c.domains,
    "last_gained": articles.c.last_gained_ms,
    "since": articles.c.since_ms,
    "probability": articles.c.probability,
    "score": articles.c.score,
    "attention": _ATTENTION,
}

CHOICES_MAX: Final = 200

Name = Annotated[str, Meta(max_length=500)]


class ArticleFilter(Struct, frozen=True, forbid_unknown_fields=True):
    """Which articles; all that are not null have to fit."""

    state: Annotated[list[State], Meta(description="Any of these states")] = []
    series: Name | None = None
    author: Name | None = None
    strategy: Name | None = None
    site: Annotated[Name | None, Meta(description="Registrable domain")] = None
    owner: Annotated[Name | None, Meta(description="Of its site, as the site's record says")] = None
    tier: Annotated[int, Meta(ge=1, le=3)] | None = None
    source: Annotated[Name | None, Meta(description="A source that saw a link to it")] = None
    suppressed: Annotated[bool | None, Meta(description="Whether its verdict is held back")] = None
    finding: Annotated[bool | None, Meta(description="Whether its verdict has findings, such as a mass loss")] = None
    q: Annotated[Name | None, Meta(description="Words of title and address; the last may be incomplete")] = None


def list_articles(
    connection: Connection,
    chosen: ArticleFilter,
    *,
    sort: Sort = "article",
    is_descending: bool = False,
    cursor: str | None = None,
    limit: int = 50,
    bounds: Bounds | None = None,
) -> Page[ArticleRow]:
    """Return a page of the articles that fit. Raises CursorError."""
    statement = select(articles).where(articles.c.is_there, *_conditions(chosen), *within(bounds))
    rows, following = page_of(
        connection,
        statement,
        order=f"articles {sort} {is_descending} {chosen}",
        column=_SORTED[sort],
        number=articles.c.id,
        is_descending=is_descending,
        cursor=cursor,
        limit=limit,
    )
    return Page([article_row(row) for row in rows], following)


def _conditions(chosen: ArticleFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if chosen.state:
        conditions.append(articles.c.state.in_([each.value for each in chosen.state]))
    conditions += [
        articles.c[name] == value
        for name in ("series", "author", "strategy", "site", "owner", "tier")
        if (value := getattr(chosen, name)) is not None
    ]
    if chosen.source is not None:
        seen = select(article_sources.c.links).where(
            article_sources.c.article_id == articles.c.id, article_sources.c.source == chosen.source
        )
        conditions.append(seen.exists())
    if chosen.suppressed is not None:
        conditions.append(func.coalesce(articles.c.suppressed, false()) == chosen.suppressed)
    if chosen.finding is not None:
        conditions.append((func.coalesce(articles.c.findings, "") != "") == chosen.finding)
    if chosen.q is not None:
        conditions.append(matches("article_search", chosen.q))
    return conditions


def count_articles(connection: Connection, chosen: ArticleFilter) -> int:
    """Return how many articles fit."""
    fitting = select(func.count()).select_from(articles).where(articles.c.is_there, *_conditions(chosen))
    return connection.scalar(fitting) or 0


def choices_of(connection: Connection, name: Literal["series", "author", "strategy", "site"]) -> list[str]:
    """Return the values that articles have, in order; CHOICES_MAX at most."""
    column = articles.c[name]
    found = (
        select(column).where(articles.c.is_there, column.is_not(None)).distinct().order_by(column).limit(CHOICES_MAX)
    )
    return list(connection.scalars(found))


def summary(connection: Connection) -> Summary:
    """Return how many articles and links there are."""
    counts = connection.execute(
        select(articles.c.state, func.count(), func.sum(articles.c.gained), func.sum(articles.c.live))
        .where(articles.c.is_there)
        .group_by(articles.c.state)
    ).all()
    return Summary(
        articles=sum(count for _, count, _, _ in counts),
        states={state or "not_judged": count for state, count, _, _ in sorted(counts, key=lambda row: row[0] or "")},
        links=int(sum(gained for _, _, gained, _ in counts)),
        live=int(sum(live for _, _, _, live in counts)),
    )


def titles_of(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """Return the titles of the articles with these keys that have one."""
    named = select(articles.c.key, articles.c.title).where(articles.c.key.in_(keys), articles.c.title.is_not(None))
    return dict(connection.execute(named).all())
