"""The page of today: what needs somebody, worst first, and what is new since they last looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from flatline.domain.formatting import count
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.page.drawings import Spark
from flatline.page.rendering import ago
from flatline.page.views.alerts import alerts_beside
from flatline.page.views.groups import ShownGroup, groups_under_curve
from flatline.page.views.sources import ShownSource, shown_sources
from flatline.page.views.sparks import sparks
from flatline.readmodel.queries.article import verdicts_of
from flatline.readmodel.queries.articles import ArticleFilter, count_articles, list_articles, summary
from flatline.readmodel.queries.views import AlertRow, ArticleRow
from flatline.readmodel.tables import links
from flatline.schema.alert_mark import Mark
from flatline.schema.verdict import Finding, State

ITEMS_MAX: Final = 30
_LOOKED_AT_MAX: Final = 200
_REVIVED_DAYS: Final = 28
_NEW: Final = "New since you last looked"
_MARKED: Final = "Marked as expected or wrong"
_MARKED_MAX: Final = 10
_DEALT_WITH: Final = frozenset({Mark.EXPECTED, Mark.WRONG})
_NEEDS_A_LOOK: Final = ArticleFilter(state=[State.SILENT, State.COOLING], suppressed=False)
_REVIVED: Final = ArticleFilter(state=[State.REVIVED], suppressed=False)
_LOST: Final = ArticleFilter(finding=True, suppressed=False)


@dataclass(frozen=True)
class Item:
    """An article that needs somebody. ``heading``: of the items like it."""

    row: ArticleRow
    findings: Sequence[Finding]
    alerts: Sequence[AlertRow]
    heading: str
    spark: Spark


@dataclass(frozen=True)
class TodayView:
    """The page. ``counts``: articles by state."""

    headline: str
    summary: str
    counts: Mapping[str, int]
    suppressed: int
    gained_7: int
    articles_known: int
    sources: Sequence[ShownSource]
    groups: Sequence[ShownGroup]
    group_alerts: Mapping[str, Sequence[AlertRow]]
    items: Sequence[Item]
    more: int
    all_well: str


def today_view(connection: Connection, *, now_ms: int, looked_ms: int | None) -> TodayView:
    """Return the page; ``looked_ms``: when its reader last looked, None for a new one."""
    known, sources = summary(connection), shown_sources(connection, now_ms=now_ms)
    items, more = _items(connection, now_ms=now_ms, looked_ms=looked_ms)
    groups = groups_under_curve(connection)
    live = [source for source in sources if source.row.is_stale is not None]
    return TodayView(
        headline=_headline(sum(item.heading == _NEW for item in items), looked_ms, now_ms),
        summary=f"{count(known.articles, 'article')} watched, {count(len(live), 'source')} reporting.",
        counts={state.value: known.states.get(state.value, 0) for state in State},
        suppressed=count_articles(connection, ArticleFilter(suppressed=True)),
        gained_7=_gained_since(connection, (now_ms // DAY_MS - 6) * DAY_MS),
        articles_known=known.articles,
        sources=[source for source in live if source.row.is_stale],
        groups=groups,
        group_alerts=alerts_beside(connection, [group.verdict for group in groups]),
        items=items,
        more=more,
        all_well=_all_well(connection, now_ms=now_ms),
    )


def has_trouble(connection: Connection) -> bool:
    """Whether any article is silent."""
    return bool(list_articles(connection, ArticleFilter(state=[State.SILENT]), limit=1).rows)


def _items(connection: Connection, *, now_ms: int, looked_ms: int | None) -> tuple[list[Item], int]:
    """Return the articles that need somebody, new ones first, then the worst; and how many there was no room for."""

    def newest(chosen: ArticleFilter) -> list[ArticleRow]:
        return list_articles(connection, chosen, sort="since", is_descending=True, limit=_LOOKED_AT_MAX).rows

    worst = list_articles(connection, _NEEDS_A_LOOK, sort="attention", is_descending=True, limit=_LOOKED_AT_MAX).rows
    revived = [row for row in newest(_REVIVED) if _since_ms(row) >= now_ms - _REVIVED_DAYS * DAY_MS]
    found = {row.article: row for row in (*worst, *newest(_NEEDS_A_LOOK), *newest(_LOST), *revived)}
    verdicts = verdicts_of(connection, list(found))
    alerts = alerts_beside(connection, list(verdicts.values()))
    headings = {row.article: _heading(_since_ms(row), looked_ms, alerts.get(row.article, ())) for row in found.values()}
    # Those that are new first, and last those that somebody has dealt with; the order within is kept.
    open_rows = [row for row in found.values() if headings[row.article] != _MARKED]
    dealt_with = [row for row in found.values() if headings[row.article] == _MARKED]
    rows = [*sorted(open_rows, key=lambda row: headings[row.article] != _NEW)[:ITEMS_MAX], *dealt_with[:_MARKED_MAX]]
    drawn = sparks(connection, rows, now_ms=now_ms)
    total = count_articles(connection, _NEEDS_A_LOOK)
    items = [
        Item(
            row,
            verdicts[row.article].findings if row.article in verdicts else (),
            alerts.get(row.article, ()),
            headings[row.article],
            drawn[row.article],
        )
        for row in rows
    ]
    return items, max(0, total - sum(row.state in _NEEDS_A_LOOK.state for row in rows))


def _since_ms(row: ArticleRow) -> int:
    return 0 if row.since is None else to_ms(row.since)


def _gained_since(connection: Connection, since_ms: int) -> int:
    gained = select(func.count()).where(links.c.is_shown, links.c.is_organic, links.c.first_gained_ms >= since_ms)
    return connection.scalar(gained) or 0


def _heading(since_ms: int, looked_ms: int | None, alerts: Sequence[AlertRow]) -> str:
    if alerts and all(alert.mark in _DEALT_WITH for alert in alerts):
        return _MARKED
    if looked_ms is None:
        return "Articles that need a look"
    return _NEW if since_ms > looked_ms else "Known, and not over"


def _headline(new: int, looked_ms: int | None, now_ms: int) -> str:
    if looked_ms is None:
        return "Today"
    looked = ago(to_datetime(looked_ms), to_datetime(now_ms))
    if not new:
        return f"Nothing new since you last looked, {looked}"
    return f"{count(new, 'article')} changed since you last looked, {looked}"


def _all_well(connection: Connection, *, now_ms: int) -> str:
    """Say since when nothing has changed for the worse."""
    newest = list_articles(connection, ArticleFilter(), sort="since", is_descending=True, limit=1).rows
    since = newest[0].since if newest else None
    last = "" if since is None else f" The state of an article last changed {ago(since, to_datetime(now_ms))}."
    return f"No article is silent or cooling, no group is under its curve, and no source is stale.{last}"
