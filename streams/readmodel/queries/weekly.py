"""A week in a few words, for people who don't look every day: what gained, what stopped, what to refresh."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct
from sqlalchemy import Connection, func, select

from flatline.domain.sites import Sites
from flatline.domain.time import to_ms
from flatline.readmodel.queries.alerts import AlertFilter, find_alerts_between, list_alerts
from flatline.readmodel.queries.articles import ArticleFilter, list_articles, summary, titles_of
from flatline.readmodel.queries.groups import GroupFilter, list_groups
from flatline.readmodel.queries.moves import stored_sites
from flatline.readmodel.queries.paging import ROWS_MAX
from flatline.readmodel.queries.precision import (
    MeasuredPrecision,
    came_true_sentence,
    marked_sentence,
    measured_precision,
)
from flatline.readmodel.queries.views import AlertRow, ArticleRow
from flatline.readmodel.tables import articles, link_changes, links
from flatline.schema.alert_mark import AlertKind, Mark
from flatline.schema.group import GroupState
from flatline.schema.verdict import State

LISTED: Final = 5
_LOOKED_AT_MAX: Final = 200
_WEEK: Final = timedelta(days=7)
_DEALT_WITH: Final = frozenset({Mark.EXPECTED, Mark.WRONG})


class GainedRow(Struct, frozen=True):
    """An article with the links that it gained in the week, and in the week before."""

    article: str
    title: str | None
    gained: int
    gained_before: int


class WeeklySummary(Struct, frozen=True):
    """What happened from `since` to `until`, in days of a time zone. Peers are left out, and so are imported links."""

    since: date
    until: date
    articles: Annotated[int, Meta(description="Watched, peers included")]
    gained: int
    gained_before: Annotated[int, Meta(description="In the week before")]
    lost: int
    most_gained: Annotated[list[GainedRow], Meta(description=f"The {LISTED} with most links")]
    stopped: Annotated[list[AlertRow], Meta(description="Alerts of the week that an article is silent, and that hold")]
    stopped_left_out: int
    under_curve: Annotated[list[str], Meta(description="A sentence on each group that gains too few links")]
    to_refresh: Annotated[
        list[ArticleRow],
        Meta(description="Silent or cooling since before, worst first, without those marked as expected or wrong"),
    ]
    precision: MeasuredPrecision
    came_true: Annotated[str, Meta(description="How right alerts were, as a sentence")]
    marked: Annotated[str, Meta(description="How people marked alerts, as a sentence")]


def weekly_summary(connection: Connection, *, until: date, zone: ZoneInfo, now_ms: int) -> WeeklySummary:
    """Return the summary of the seven days up to ``until``, as the days are in a time zone."""
    sites = stored_sites(connection)
    end_ms, begin_ms, before_ms = (_midnight_ms(until + timedelta(days=1) - weeks * _WEEK, zone) for weeks in range(3))
    gained, before = (_gained(connection, sites, *span) for span in ((begin_ms, end_ms), (before_ms, begin_ms)))
    stopped = [
        alert
        for alert in find_alerts_between(connection, AlertKind.SILENT, begin_ms, end_ms)
        if alert.ended_at is None and alert.mark not in _DEALT_WITH and not sites.is_peer(alert.subject)
    ]
    most = sorted(gained, key=lambda article: (-gained[article], article))[:LISTED]
    titles = titles_of(connection, most)
    precision = measured_precision(connection, now_ms=now_ms)
    return WeeklySummary(
        since=until - _WEEK + timedelta(days=1),
        until=until,
        articles=summary(connection).articles,
        gained=gained.total(),
        gained_before=before.total(),
        lost=_lost(connection, sites, begin_ms, end_ms),
        most_gained=[GainedRow(each, titles.get(each), gained[each], before[each]) for each in most],
        stopped=stopped[:LISTED],
        stopped_left_out=len(stopped[LISTED:]),
        under_curve=_under_curve(connection),
        to_refresh=_to_refresh(connection, sites, {alert.subject for alert in stopped}),
        precision=precision,
        came_true=came_true_sentence(precision),
        marked=marked_sentence(precision),
    )


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return to_ms(datetime.combine(day, time(), zone))


def _gained(connection: Connection, sites: Sites, begin_ms: int, end_ms: int) -> Counter[str]:
    counted = (
        select(articles.c.key, func.count())
        .join(links, links.c.article_id == articles.c.id)
        .where(articles.c.is_there, links.c.is_shown, links.c.is_organic)
        .where(links.c.first_gained_ms >= begin_ms, links.c.first_gained_ms < end_ms)
        .group_by(articles.c.key)
    )
    return Counter({key: count for key, count in connection.execute(counted) if not sites.is_peer(key)})


def _lost(connection: Connection, sites: Sites, begin_ms: int, end_ms: int) -> int:
    counted = (
        select(articles.c.key, func.count(link_changes.c.link_id.distinct()))
        .join(links, links.c.article_id == articles.c.id)
        .join(link_changes, link_changes.c.link_id == links.c.id)
        .where(articles.c.is_there, links.c.is_shown, ~links.c.is_live, link_changes.c.change == "lost")
        .where(link_changes.c.at_ms >= begin_ms, link_changes.c.at_ms < end_ms)
        .group_by(articles.c.key)
    )
    return sum(count for key, count in connection.execute(counted) if not sites.is_peer(key))


def _under_curve(connection: Connection) -> list[str]:
    found = list_groups(connection, GroupFilter(state=[GroupState.UNDER_CURVE]), limit=LISTED).rows
    return [group.verdict.reason for group in found if group.verdict is not None]


def _to_refresh(connection: Connection, sites: Sites, stopped: set[str]) -> list[ArticleRow]:
    chosen = ArticleFilter(state=[State.SILENT, State.COOLING], suppressed=False)
    rows = list_articles(connection, chosen, sort="attention", is_descending=True, limit=_LOOKED_AT_MAX).rows
    marked = AlertFilter(open=True, mark=["expected", "wrong"])
    dealt_with = {alert.subject for alert in list_alerts(connection, marked, limit=ROWS_MAX).rows}
    return [
        row
        for row in rows
        if row.article not in stopped and row.article not in dealt_with and not sites.is_peer(row.article)
    ][:LISTED]
