"""One article: what is said of it, and what that is based on."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import Connection, Subquery, and_, func, select

from flatline.domain.explanation.explained import CurvePoint
from flatline.domain.explanation.trajectory import trajectory
from flatline.domain.groups.survey import Membership
from flatline.domain.quality.article_link_value import natural_anchors
from flatline.domain.quality.factors import LinkQuality
from flatline.domain.quality.per_link import newest
from flatline.domain.state.article import Article
from flatline.domain.state.segment import Segment
from flatline.domain.state.visits import date_of
from flatline.domain.time import DAY_MS, day_of, to_ms
from flatline.readmodel.address_rows import decoded_state, shown_header
from flatline.readmodel.queries.annotations import annotations_of
from flatline.readmodel.queries.bounds import Bounds, within
from flatline.readmodel.queries.groups import baseline_of, groups_of
from flatline.readmodel.queries.links import article_id_of
from flatline.readmodel.queries.rows import article_row, instant
from flatline.readmodel.queries.views import ArticleDetail, VerdictChange, VisitsOfDomain, WindowCounts
from flatline.readmodel.tables import addresses, articles, link_changes, links, verdict_history, visits
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline.schema.verdict import State, Verdict

WINDOWS_DAYS: Final = (1, 7, 28, 90, 365)
HISTORY_MAX: Final = 500
VISITING_DOMAINS_MAX: Final = 50
WEIGHED_LINKS_MAX: Final = 5_000
"""Of articles with more links, none is weighed: that takes all of them."""


def find_article(
    connection: Connection, address: str, *, as_of: date, partitions: int, bounds: Bounds | None = None
) -> ArticleDetail | None:
    """Return the article at an address, spelled in any way, as of the end of a UTC day; None where there is none.

    Windows and the curve are as of that day, by what is known now; the rest is the newest. ``partitions``: how many the
    topics have.
    """
    number = article_id_of(connection, address)
    chosen = select(articles).where(articles.c.id == number, *within(bounds))
    row = connection.execute(chosen).mappings().first() if number else None
    if row is None or not row["is_there"]:
        return None
    article_id, last_day = row["id"], as_of.toordinal() - date(1970, 1, 1).toordinal()
    verdict = _verdict(row["verdict"])
    days = _organic_days(connection, article_id, last_day)
    published_day = None if row["published_ms"] is None else day_of(row["published_ms"])
    membership = Membership.of(
        row["key"],
        strategy=row["strategy"],
        series=row["series"],
        author=row["author"],
        begin_day=next(iter(days), None) if published_day is None else published_day,
    )
    watched_day = last_day
    if verdict is not None and verdict.watched_since is not None:
        watched_day = min(last_day, day_of(to_ms(verdict.watched_since)))
    points = trajectory(
        days,
        published_day=published_day,
        watched_day=watched_day,
        today=last_day,
        baseline=baseline_of(connection, membership, partitions=partitions),
    )
    return ArticleDetail(
        article=article_row(row),
        addresses=_addresses(connection, article_id),
        verdict=verdict,
        as_of=as_of,
        windows=_windows(connection, article_id, last_day, days),
        curve=[CurvePoint(date_of(point.day), point.gained, round(point.expected, 2)) for point in points],
        history=_history(connection, article_id),
        groups=groups_of(connection, membership),
        visits=_visits(connection, article_id, removed_day=day_of(row["removed_ms"])),
        annotations=annotations_of(connection, article_id, row["key"]),
    )


def verdicts_of(connection: Connection, keys: Collection[str]) -> dict[str, Verdict]:
    """Return the newest verdict on each article that has one, by its key."""
    said = select(articles.c.key, articles.c.verdict).where(articles.c.key.in_(keys))
    verdicts = {key: _verdict(value) for key, value in connection.execute(said)}
    return {key: verdict for key, verdict in verdicts.items() if verdict is not None}


def qualities(connection: Connection, address: str) -> dict[bytes, LinkQuality]:
    """Return the quality of the links of an article, by the fingerprints of their pages; none of too many."""
    number = article_id_of(connection, address)
    row = connection.execute(select(articles.c.key, articles.c.gained).where(articles.c.id == number)).first()
    if row is None or row.gained > WEIGHED_LINKS_MAX:
        return {}
    own = select(addresses.c.key, addresses.c.state).where(addresses.c.article_id == number)
    parts = [decoded_state(key.encode(), state) for key, state in connection.execute(own)]
    article = Article(row.key.encode(), shown_header(row.key.encode(), parts).header, Segment())
    counted = select(links.c.page).where(links.c.article_id == number, links.c.is_shown)
    statement = select(links.c.state).where(links.c.article_id == number, links.c.page.in_(counted))
    article.join(known for state in connection.scalars(statement) for known in Segment.decode(state).known())
    weighed = newest(
        article.segments, WEIGHED_LINKS_MAX, quality_min=0.0, natural_anchors=lambda: natural_anchors(article)
    )
    return {each.page: each.quality for each in weighed}


def _verdict(value: bytes | None) -> Verdict | None:
    try:
        return None if value is None else codec.verdicts.decode(value)
    except Rejected:
        return None


def _addresses(connection: Connection, article_id: int) -> list[str]:
    statement = select(addresses.c.key).where(addresses.c.article_id == article_id)
    own = addresses.c.id == article_id
    return list(connection.scalars(statement.order_by(own.desc(), addresses.c.key)))


def _organic_days(connection: Connection, article_id: int, last_day: int) -> dict[int, int]:
    """Return how many links were first gained on each day, without imports and first meetings, in order of days."""
    day = (links.c.first_gained_ms // DAY_MS).label("day")
    statement = (
        select(day, func.count())
        .where(links.c.article_id == article_id, links.c.is_shown, links.c.is_organic)
        .where(links.c.first_gained_ms < (last_day + 1) * DAY_MS)
        .group_by(day)
        .order_by(day)
    )
    return {int(at): count for at, count in connection.execute(statement)}


def _windows(
    connection: Connection, article_id: int, last_day: int, organic_days: Mapping[int, int]
) -> list[WindowCounts]:
    """Return what was gained and lost in windows that end with a day, and the domains that came in them first."""
    of_article = and_(links.c.article_id == article_id, links.c.is_shown)
    last_losses = (
        select(func.max(link_changes.c.at_ms).label("at_ms"))
        .join(links, links.c.id == link_changes.c.link_id)
        .where(of_article, link_changes.c.change == "lost", link_changes.c.at_ms < (last_day + 1) * DAY_MS)
        .group_by(link_changes.c.link_id)
    )
    first_of_domains = (
        select(func.min(links.c.first_gained_ms).label("at_ms")).where(of_article).group_by(links.c.domain)
    )
    lost, new_domains = (
        _within_windows(connection, instants.subquery(), last_day) for instants in (last_losses, first_of_domains)
    )
    gained = [sum(n for day, n in organic_days.items() if day > last_day - length) for length in WINDOWS_DAYS]
    return [WindowCounts(*counts) for counts in zip(WINDOWS_DAYS, gained, lost, new_domains, strict=True)]


def _within_windows(connection: Connection, instants: Subquery, last_day: int) -> Sequence[int]:
    """Return how many instants (``at_ms``) each window has."""
    at_ms, end_ms = instants.c.at_ms, (last_day + 1) * DAY_MS
    counts = [
        func.count().filter(at_ms >= end_ms - length * DAY_MS, at_ms < end_ms).label(f"days_{length}")
        for length in WINDOWS_DAYS
    ]
    return connection.execute(select(*counts).select_from(instants)).one()


def _history(connection: Connection, article_id: int) -> list[VerdictChange]:
    statement = (
        select(verdict_history)
        .where(verdict_history.c.address_id == article_id)
        .order_by(verdict_history.c.judged_ms.desc())
        .limit(HISTORY_MAX)
    )
    return [
        VerdictChange(
            judged_at=instant(row["judged_ms"]),  # type: ignore[arg-type] # it is never null
            state=None if row["state"] is None else State(row["state"]),
            since=instant(row["since_ms"]),
            suppressed=row["suppressed"],
            findings=row["findings"].split(),
            probability=row["probability"],
            score=row["score"],
            gained_total=row["gained"],
            reason=row["reason"],
        )
        for row in connection.execute(statement).mappings()
    ]


def _visits(connection: Connection, article_id: int, *, removed_day: int) -> list[VisitsOfDomain]:
    total = func.sum(visits.c.visits)
    statement = (
        select(visits.c.domain, total, func.max(visits.c.day))
        .join(addresses, addresses.c.id == visits.c.address_id)
        .where(addresses.c.article_id == article_id, visits.c.day > (removed_day or -1))
        .group_by(visits.c.domain)
        .order_by(total.desc(), visits.c.domain)
        .limit(VISITING_DOMAINS_MAX)
    )
    return [
        VisitsOfDomain(domain, int(number), date_of(last)) for domain, number, last in connection.execute(statement)
    ]
