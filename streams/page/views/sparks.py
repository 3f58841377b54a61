"""Sparklines of articles: links a week over the last two years; and links of the last 28 days."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, func, select

from flatline.domain.time import DAY_MS, to_ms
from flatline.page.drawings import SPARK_WEEKS, Spark, spark
from flatline.readmodel.queries.views import ArticleRow
from flatline.readmodel.tables import articles, links
from flatline.schema.verdict import State

_WEEK_MS: Final = 7 * DAY_MS
_SILENCES: Final = frozenset({State.COOLING, State.SILENT, State.DORMANT})


def sparks(connection: Connection, rows: Sequence[ArticleRow], *, now_ms: int) -> Mapping[str, Spark]:
    """Return the sparkline of each article, by its address; only links count that were found as new ones."""
    this_week = now_ms // _WEEK_MS
    week = links.c.first_gained_ms // _WEEK_MS
    counted = _found_since(rows, (this_week - SPARK_WEEKS + 1) * _WEEK_MS)
    weeks: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for key, count, number in connection.execute(counted.add_columns(week).group_by(articles.c.key, week)):
        weeks[key][int(number)] = count
    return {
        row.article: spark(weeks[row.article], this_week=this_week, silent_weeks=_silent_weeks(row, this_week))
        for row in rows
    }


def gained_in_28_days(connection: Connection, rows: Sequence[ArticleRow], *, now_ms: int) -> Mapping[str, int]:
    """Return how many links each article gained in the last 28 days, today included; without imports."""
    counted = _found_since(rows, (now_ms // DAY_MS - 27) * DAY_MS)
    return dict(connection.execute(counted.group_by(articles.c.key)).all())


def _found_since(rows: Sequence[ArticleRow], since_ms: int) -> Select[Any]:
    """Return the statement that counts, by article, the links that were found as new ones since an instant."""
    return (
        select(articles.c.key, func.count())
        .join(links, links.c.article_id == articles.c.id)
        .where(
            articles.c.key.in_([row.article for row in rows]),
            links.c.is_shown,
            links.c.is_organic,
            links.c.first_gained_ms >= since_ms,
        )
    )


def _silent_weeks(row: ArticleRow, this_week: int) -> int | None:
    if row.state not in _SILENCES or row.last_gained_at is None:
        return None
    return this_week - to_ms(row.last_gained_at) // _WEEK_MS
