"""Our series beside those of peers."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Final, Literal, NamedTuple

from msgspec import Meta, Struct
from sqlalchemy import Connection, and_, case, func, select

from flatline.domain.groups.cohorts import AGES_DAYS
from flatline.domain.sites import Sites, host_of
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.readmodel.queries.moves import stored_sites
from flatline.readmodel.tables import articles, links

MONTHS: Final = 12
ARTICLES_MIN: Final = 3
SERIES_MAX: Final = 200
Role = Literal["own", "peer"]


class MonthGained(Struct, frozen=True):
    """Links gained in a month."""

    month: Annotated[date, Meta(description="Its first day, in UTC")]
    gained: Annotated[int, Meta(description="Without imports and first meetings")]


class AgeLinks(Struct, frozen=True):
    """What articles have gained by an age."""

    age_days: int
    articles: Annotated[int, Meta(description="That have reached it, of those watched since they were published")]
    links_per_article: Annotated[
        float | None, Meta(description="Without imports and first meetings; null: fewer than three articles")
    ]


class SeriesRow(Struct, frozen=True):
    """The articles of a series on a site."""

    role: Annotated[Role, Meta(description="own, or peer: as the site's record says")]
    site: Annotated[str, Meta(description="As its record names it; without a record, the registrable domain")]
    series: Annotated[str | None, Meta(description="null: articles of no series")]
    articles: int
    gained: int
    live: int
    live_share: Annotated[float | None, Meta(description="Of the links gained; null: there are none")]
    months: Annotated[list[MonthGained], Meta(description="The last twelve whole months, the oldest first")]
    ages: list[AgeLinks]


class _Key(NamedTuple):
    role: Role
    site: str
    series: str | None


class _Counts(NamedTuple):
    """Of one article's organic links: the first, those gained in each month, those gained by each age."""

    first_ms: int | None
    months: Sequence[int]
    ages: Sequence[int]


def compare_with_peers(connection: Connection, *, now_ms: int) -> list[SeriesRow]:
    """Return the series of our sites and of peers, ours first, those with most articles first; at most SERIES_MAX.

    Without a peer there is nothing to compare, and no row. An age counts the articles that were published after the
    first link to their site was found: what was gained before is not known.
    """
    sites = stored_sites(connection)
    if all(record.role != "peer" for record in sites):
        return []
    starts = _month_starts(now_ms)
    counts = _counts_by_article(connection, starts)
    by_series, first_of_site = defaultdict[_Key, list[Any]](list), dict[str, int]()
    columns = articles.c
    for row in connection.execute(
        select(
            columns.id, columns.key, columns.site, columns.series, columns.published_ms, columns.gained, columns.live
        ).where(columns.is_there)
    ):
        key = _key_of(sites, row)
        by_series[key].append(row)
        found = counts.get(row.id, _NONE).first_ms
        if found is not None:
            first_of_site[key.site] = min(found, first_of_site.get(key.site, found))
    compared = [
        _series_row(key, rows, counts, starts, first_ms=first_of_site.get(key.site), now_ms=now_ms)
        for key, rows in by_series.items()
    ]
    compared.sort(key=lambda row: (row.role, -row.articles, row.site, row.series or ""))
    peers = [row for row in compared if row.role == "peer"][: SERIES_MAX // 2]
    return [row for row in compared if row.role == "own"][: SERIES_MAX - len(peers)] + peers


def _key_of(sites: Sites, row: Any) -> _Key:
    record = sites.at(host_of(row.key)) if row.key.startswith("https://") else None
    return _Key("own", row.site, row.series) if record is None else _Key(record.role, record.domain, row.series)


def _month_starts(now_ms: int) -> list[int]:
    """Return where the last MONTHS whole months begin, and where the newest of them ends, in ms."""
    start = to_datetime(now_ms).date().replace(day=1)
    starts = [start]
    for _ in range(MONTHS):
        start = (start - timedelta(days=1)).replace(day=1)
        starts.append(start)
    return [to_ms(datetime(day.year, day.month, day.day, tzinfo=UTC)) for day in reversed(starts)]


def _counts_by_article(connection: Connection, starts: Sequence[int]) -> dict[int, _Counts]:
    gained = links.c.first_gained_ms
    in_months = [and_(gained >= begin, gained < end) for begin, end in pairwise(starts)]
    by_ages = [gained < articles.c.published_ms + age * DAY_MS for age in AGES_DAYS]
    statement = (
        select(
            articles.c.id,
            func.min(gained),
            *(func.sum(case((condition, 1), else_=0)) for condition in (*in_months, *by_ages)),
        )
        .join_from(articles, links, links.c.article_id == articles.c.id)
        .where(articles.c.is_there, links.c.is_shown, links.c.is_organic)
        .group_by(articles.c.id)
    )
    return {
        number: _Counts(first_ms, sums[:MONTHS], sums[MONTHS:])
        for number, first_ms, *sums in connection.execute(statement)
    }


def _series_row(
    key: _Key,
    rows: Sequence[Any],
    counts: dict[int, _Counts],
    starts: Sequence[int],
    *,
    first_ms: int | None,
    now_ms: int,
) -> SeriesRow:
    of_rows = [counts.get(row.id, _NONE) for row in rows]
    ages = []
    for number, age in enumerate(AGES_DAYS):
        reached = [
            each.ages[number]
            for row, each in zip(rows, of_rows, strict=True)
            if first_ms is not None
            and row.published_ms is not None
            and first_ms <= row.published_ms <= now_ms - age * DAY_MS
        ]
        mean = round(sum(reached) / len(reached), 2) if len(reached) >= ARTICLES_MIN else None
        ages.append(AgeLinks(age, len(reached), mean))
    gained, live = sum(row.gained for row in rows), sum(row.live for row in rows)
    return SeriesRow(
        *key,
        articles=len(rows),
        gained=gained,
        live=live,
        live_share=round(live / gained, 3) if gained else None,
        months=[
            MonthGained(to_datetime(start).date(), sum(each.months[number] for each in of_rows))
            for number, start in enumerate(starts[:-1])
        ],
        ages=ages,
    )


_NONE: Final = _Counts(None, (0,) * MONTHS, (0,) * len(AGES_DAYS))
