"""What the API answers: each route with its parameters, its answer and the query behind it, as data."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from flatline.api import queries
from flatline.domain.time import to_datetime
from flatline.readmodel.policy_lab import PolicyLab, PolicyTrial, ThresholdsMoved
from flatline.readmodel.queries import views
from flatline.readmodel.queries.alerts import AlertFilter, list_alerts
from flatline.readmodel.queries.annotations import AnnotationFilter, list_annotations
from flatline.readmodel.queries.article import find_article, qualities
from flatline.readmodel.queries.articles import ArticleFilter, list_articles, summary
from flatline.readmodel.queries.bounds import Bounds
from flatline.readmodel.queries.groups import GroupFilter, find_group, list_cohorts, list_groups
from flatline.readmodel.queries.links import LinkFilter, list_links
from flatline.readmodel.queries.others import DeadLetterFilter, list_dead_letters, list_sources
from flatline.readmodel.queries.peers import SeriesRow, compare_with_peers
from flatline.readmodel.queries.precision import MeasuredPrecision, measured_precision
from flatline.readmodel.queries.publications import Publication, publications_of
from flatline.readmodel.queries.publishers import TurnedPublisher, turned_nofollow
from flatline.readmodel.queries.snoozes import SnoozeRow, list_snoozes
from flatline.readmodel.queries.source_days import SourceCalendar, source_calendars
from flatline.readmodel.queries.views import Page
from flatline.readmodel.queries.weekly import WeeklySummary, weekly_summary
from flatline.schema.group import GroupKind
from flatline_connectors.ingest.answers import Refused

Q = TypeVar("Q", bound=Struct)
F = TypeVar("F", bound=Struct)


class Circumstances(NamedTuple):
    """What queries go by beside their parameters.

    ``partitions``  of the topics that are keyed by article
    ``policy_lab``  tries thresholds beside those in force
    ``bounds``      what may be seen of the routes BOUNDED; None: all
    """

    now_ms: int
    partitions: int
    policy_lab: PolicyLab
    bounds: Bounds | None = None

    @property
    def today(self) -> date:
        """The UTC day."""
        return to_datetime(self.now_ms).date()


class Route(NamedTuple, Generic[Q]):
    """One answer, or a page of a list.

    ``ask``   returns the answer; None: there is no such thing
    ``row``   the type of a list's rows; None for what is no list
    """

    path: str
    about: str
    query: type[Q]
    answer: Any
    ask: Callable[[Connection, Q, Circumstances], Any]
    row: type[Struct] | None = None


def _articles(connection: Connection, query: queries.ArticlesQuery, at: Circumstances) -> Page[views.ArticleRow]:
    chosen, sort = _filter(query, ArticleFilter), query.sort
    return list_articles(
        connection,
        chosen,
        sort=sort.removeprefix("-"),  # type: ignore[arg-type] # one of those, by its type
        is_descending=sort.startswith("-"),
        cursor=query.cursor,
        limit=query.limit,
        bounds=at.bounds,
    )


def _article(connection: Connection, query: queries.ArticleQuery, at: Circumstances) -> views.ArticleDetail | None:
    as_of = query.on or at.today
    return find_article(connection, query.url, as_of=as_of, partitions=at.partitions, bounds=at.bounds)


def _links(connection: Connection, query: queries.LinksQuery, at: Circumstances) -> Page[views.LinkRow]:
    chosen, sort = _filter(query, LinkFilter), query.sort
    return list_links(
        connection,
        chosen,
        sort=sort.removeprefix("-"),  # type: ignore[arg-type] # one of those, by its type
        is_descending=sort.startswith("-"),
        cursor=query.cursor,
        limit=query.limit,
        bounds=at.bounds,
        quality=None if chosen.article is None else qualities(connection, chosen.article),
    )


def _groups(connection: Connection, query: queries.GroupsQuery, _at: Circumstances) -> Page[views.GroupRow]:
    return list_groups(connection, _filter(query, GroupFilter), cursor=query.cursor, limit=query.limit)


def _alerts(connection: Connection, query: queries.AlertsQuery, at: Circumstances) -> Page[views.AlertRow]:
    chosen = _filter(query, AlertFilter)
    return list_alerts(connection, chosen, cursor=query.cursor, limit=query.limit, bounds=at.bounds)


def _dead_letters(
    connection: Connection, query: queries.DeadLettersQuery, _at: Circumstances
) -> Page[views.DeadLetterRow]:
    return list_dead_letters(connection, _filter(query, DeadLetterFilter), cursor=query.cursor, limit=query.limit)


def _sources(connection: Connection, _query: queries.SourcesQuery, at: Circumstances) -> Page[views.SourceRow]:
    return Page(list_sources(connection, now_ms=at.now_ms), None)


def _turned(connection: Connection, _query: queries.SourcesQuery, at: Circumstances) -> Page[TurnedPublisher]:
    return Page(turned_nofollow(connection, now_ms=at.now_ms), None)


def _peers(connection: Connection, _query: queries.PeersQuery, at: Circumstances) -> Page[SeriesRow]:
    return Page(compare_with_peers(connection, now_ms=at.now_ms), None)


def _annotations(
    connection: Connection, query: queries.AnnotationsQuery, at: Circumstances
) -> Page[views.AnnotationRow]:
    return Page(list_annotations(connection, _filter(query, AnnotationFilter), bounds=at.bounds), None)


def _policy_trial(connection: Connection, query: queries.PolicyTrialQuery, at: Circumstances) -> PolicyTrial:
    try:
        return at.policy_lab.trial(connection, _filter(query, ThresholdsMoved), now_ms=at.now_ms)
    except ValueError as error:
        raise Refused(400, "bad_parameter", str(error)) from None


def _weekly(connection: Connection, query: queries.WeeklySummaryQuery, at: Circumstances) -> WeeklySummary:
    try:
        zone = ZoneInfo(query.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Refused(400, "bad_parameter", f"There is no time zone {query.time_zone}.") from None
    until = query.until or to_datetime(at.now_ms).astimezone(zone).date() - timedelta(days=1)
    return weekly_summary(connection, until=until, zone=zone, now_ms=at.now_ms)


def _filter(query: Struct, kind: type[F]) -> F:
    return kind(**{field.name: getattr(query, field.name) for field in msgspec.structs.fields(kind)})


ROUTES: Final[tuple[Route[Any], ...]] = (
    Route(
        "/api/v1/summary",
        "How many articles and links there are",
        queries.NoQuery,
        views.Summary,
        lambda connection, _query, _at: summary(connection),
    ),
    Route("/api/v1/articles", "Articles", queries.ArticlesQuery, Page[views.ArticleRow], _articles, views.ArticleRow),
    Route(
        "/api/v1/article", "One article, and what is known of it", queries.ArticleQuery, views.ArticleDetail, _article
    ),
    Route("/api/v1/links", "Links with their evidence", queries.LinksQuery, Page[views.LinkRow], _links, views.LinkRow),
    Route(
        "/api/v1/groups",
        "Series, authors, strategies and sites",
        queries.GroupsQuery,
        Page[views.GroupRow],
        _groups,
        views.GroupRow,
    ),
    Route(
        "/api/v1/group",
        "One group with its history",
        queries.GroupQuery,
        views.GroupDetail,
        lambda connection, query, _at: find_group(connection, query.kind, query.name),
    ),
    Route(
        "/api/v1/cohorts",
        "By which age articles of a site, a strategy or a month of publication have gained which share of their links",
        queries.CohortsQuery,
        Page[views.CohortRow],
        lambda connection, query, at: Page(
            list_cohorts(connection, GroupKind(query.kind), partitions=at.partitions), None
        ),
    ),
    Route(
        "/api/v1/publications",
        "Authority both ways: which publications link to the articles of a group, and where the group links back",
        queries.PublicationsQuery,
        Page[Publication],
        lambda connection, query, _at: Page(publications_of(connection, query.kind, query.name), None),
        Publication,
    ),
    Route(
        "/api/v1/peers",
        "Our series beside those of peers: links by age, gains a month, and which share is live",
        queries.PeersQuery,
        Page[SeriesRow],
        _peers,
        SeriesRow,
    ),
    Route(
        "/api/v1/snoozes",
        "Alerts that are not told for a while",
        queries.SnoozesQuery,
        Page[SnoozeRow],
        lambda connection, _query, _at: Page(list_snoozes(connection), None),
        SnoozeRow,
    ),
    Route(
        "/api/v1/annotations",
        "Dated notes on articles, sites and everything",
        queries.AnnotationsQuery,
        Page[views.AnnotationRow],
        _annotations,
        views.AnnotationRow,
    ),
    Route(
        "/api/v1/precision",
        "How right alerts were: said against came true, and what people say",
        queries.NoQuery,
        MeasuredPrecision,
        lambda connection, _query, at: measured_precision(connection, now_ms=at.now_ms),
    ),
    Route(
        "/api/v1/weekly-summary",
        "A week in a few words: what gained, what stopped, what to refresh, how right alerts were",
        queries.WeeklySummaryQuery,
        WeeklySummary,
        _weekly,
    ),
    Route(
        "/api/v1/alerts",
        "Alerts, and what people say of them",
        queries.AlertsQuery,
        Page[views.AlertRow],
        _alerts,
        views.AlertRow,
    ),
    Route(
        "/api/v1/policy-trial",
        "Alerts on silence that thresholds would have caused in the last two years: how many were right, and how late",
        queries.PolicyTrialQuery,
        PolicyTrial,
        _policy_trial,
    ),
    Route("/api/v1/sources", "Sources", queries.SourcesQuery, Page[views.SourceRow], _sources, views.SourceRow),
    Route(
        "/api/v1/source-days",
        "Sources day by day: when each was heard, stale or silent",
        queries.SourceDaysQuery,
        Page[SourceCalendar],
        lambda connection, query, at: Page(
            source_calendars(connection, now_ms=at.now_ms, days=query.days, source=query.source), None
        ),
        SourceCalendar,
    ),
    Route(
        "/api/v1/turned-publishers",
        "Publishers that had at least five links turn nofollow within two weeks",
        queries.SourcesQuery,
        Page[TurnedPublisher],
        _turned,
        TurnedPublisher,
    ),
    Route(
        "/api/v1/dead-letters",
        "Records that could not be taken",
        queries.DeadLettersQuery,
        Page[views.DeadLetterRow],
        _dead_letters,
        views.DeadLetterRow,
    ),
)

BOUNDED: Final = frozenset(f"/api/v1/{name}" for name in ("articles", "article", "links", "alerts", "annotations"))
"""Those that answer within bounds."""
