"""The page of one article: what is said of it, and the evidence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from sqlalchemy import Connection

from flatline.domain.formatting import percent
from flatline.domain.time import to_datetime
from flatline.page.drawings import Band, Curve, Note, curve
from flatline.page.rendering import with_query
from flatline.page.views.alerts import alerts_beside
from flatline.page.views.pages_of_lists import page_or_first
from flatline.readmodel.queries.article import find_article, qualities
from flatline.readmodel.queries.links import LinkFilter, list_links
from flatline.readmodel.queries.views import (
    AlertRow,
    AnnotationRow,
    ArticleDetail,
    ArticleRow,
    LinkRow,
    Page,
    VerdictChange,
    WindowCounts,
)
from flatline.schema.verdict import State, Verdict

LINKS: Final = 50
ANNOTATIONS: Final = 50
_CHARACTERS_MAX: Final = 200
_HORIZON_DAYS: Final = 180
_LINK_CHOICES: Final = {"all": "All links", "live": "Live links", "lost": "Lost links"}
_IS_LIVE: Final = {"live": True, "lost": False}
_TONES: Final = {State.COOLING: "doubt", State.SILENT: "bad", State.DORMANT: "bad"}


@dataclass(frozen=True)
class Window:
    """What came and went in the last days. ``expected``: None where nothing was computed for so many."""

    counts: WindowCounts
    expected: float | None

    @property
    def words(self) -> str:
        """Its length."""
        return "day" if self.counts.days == 1 else f"{self.counts.days} days"


@dataclass(frozen=True)
class NumberedAnnotation:
    """An annotation, and its number on the curve; None: the curve does not have its day."""

    said: AnnotationRow
    number: int | None


@dataclass(frozen=True)
class Past:
    """Something in the history of an article: a verdict or an annotation."""

    day: date
    verdict: VerdictChange | None = None
    annotation: AnnotationRow | None = None


@dataclass(frozen=True)
class ArticleView:
    """The page. ``history``: of verdicts that say the same, the first; and annotations."""

    detail: ArticleDetail
    title: str
    probability: str
    horizon_days: int
    curve: Curve
    windows: Sequence[Window]
    links: Sequence[LinkRow]
    show: str
    links_query: str
    links_next: str | None
    links_csv_path: str
    history: Sequence[Past]
    annotations: Sequence[NumberedAnnotation]
    annotations_csv_path: str
    facts: Sequence[tuple[str, str]]
    link_choices: Mapping[str, str]
    alerts: Sequence[AlertRow]

    @property
    def row(self) -> ArticleRow:
        """The article as lists have it."""
        return self.detail.article


def article_view(
    connection: Connection, address: str, query: Mapping[str, str], *, partitions: int, now_ms: int
) -> ArticleView | None:
    """Return the page of the article that is at an address now; None where none is known."""
    today = to_datetime(now_ms).date()
    detail = find_article(connection, address, as_of=today, partitions=partitions)
    if detail is None:
        return None
    row, verdicts = detail.article, list(_changes(detail.history))
    annotations = list(_numbered(detail))
    show, containing = query.get("show", "all"), query.get("q", "")[:_CHARACTERS_MAX]
    links = _links(connection, row.article, show, containing, query.get("after"))
    return ArticleView(
        detail=detail,
        title=row.title or row.article.removeprefix("https://"),
        probability="not judged" if row.probability is None else percent(row.probability),
        horizon_days=detail.verdict.horizon_days if detail.verdict else _HORIZON_DAYS,
        curve=curve(
            [point.date for point in detail.curve],
            [point.gained for point in detail.curve],
            [point.expected for point in detail.curve],
            _bands(row, verdicts, today),
            [Note(each.number, each.said.day, each.said.text) for each in annotations if each.number is not None],
        ),
        windows=[Window(each, _expected(detail.verdict, each.days)) for each in detail.windows],
        links=links.rows,
        show=show,
        links_query=containing,
        links_next=(
            with_query("/article", url=row.article, show=show, q=containing, after=links.next) if links.next else None
        ),
        links_csv_path=with_query("/api/v1/links", article=row.article, format="csv"),
        history=_history(verdicts, [each.said for each in annotations]),
        annotations=annotations,
        annotations_csv_path=with_query("/api/v1/annotations", article=row.article, format="csv"),
        facts=list(_facts(detail)),
        link_choices=_LINK_CHOICES,
        alerts=alerts_beside(connection, [detail.verdict]).get(row.article, []) if detail.verdict else [],
    )


def _links(connection: Connection, article: str, show: str, containing: str, cursor: str | None) -> Page[LinkRow]:
    chosen = LinkFilter(article=article, live=_IS_LIVE.get(show), q=containing or None)
    quality = qualities(connection, article)
    return page_or_first(
        lambda after: list_links(connection, chosen, cursor=after, limit=LINKS, quality=quality), cursor
    )


def _changes(newest_first: Sequence[VerdictChange]) -> Iterator[VerdictChange]:
    """Yield the verdicts that changed the state, newest first: of those that say the same the first one."""
    for later, before in pairwise([*newest_first, None]):
        if later is not None and (before is None or before.state is not later.state):
            yield later


def _numbered(detail: ArticleDetail) -> Iterator[NumberedAnnotation]:
    """Yield the annotations of the newest days; those on the curve have numbers, the oldest is 1."""
    shown = detail.annotations[:ANNOTATIONS]
    first, last = (detail.curve[0].date, detail.curve[-1].date) if detail.curve else (date.max, date.min)
    number = sum(first <= each.day <= last for each in shown)
    for each in shown:
        if first <= each.day <= last:
            yield NumberedAnnotation(each, number)
            number -= 1
        else:
            yield NumberedAnnotation(each, None)


def _history(verdicts: Sequence[VerdictChange], annotations: Sequence[AnnotationRow]) -> list[Past]:
    """Return both, the newest day first."""
    past = [Past(each.judged_at.date(), verdict=each) for each in verdicts]
    past += [Past(each.day, annotation=each) for each in annotations]
    return sorted(past, key=lambda each: each.day, reverse=True)


def _bands(row: ArticleRow, newest_first: Sequence[VerdictChange], today: date) -> Iterator[Band]:
    """Yield the times in which the article was cooling or silent, as far as they are known."""
    changes = [(each.state, each.since.date()) for each in reversed(newest_first) if each.since is not None]
    if not changes and row.since is not None:
        changes = [(row.state, row.since.date())]
    for (state, since), (_, until) in pairwise([*changes, (None, today)]):
        if state is not None and (tone := _TONES.get(state)) and until > since:
            yield Band(tone, since, until)


def _expected(verdict: Verdict | None, days: int) -> float | None:
    windows = verdict.expectation if verdict else None
    if windows is None:
        return None
    found = {7: windows.last_7, 28: windows.last_28, 90: windows.last_90}.get(days)
    return None if found is None else found.expected


def _facts(detail: ArticleDetail) -> Iterator[tuple[str, str]]:
    row, verdict = detail.article, detail.verdict
    for name, value in (("Author", row.author), ("Strategy", row.strategy), ("Tier", row.tier), ("Site", row.site)):
        if value is not None:
            yield name, str(value)
    if row.published_at is not None:
        yield "Published", f"{row.published_at:%Y-%m-%d}"
    if len(detail.addresses) > 1:
        yield "Former addresses", ", ".join(detail.addresses[1:])
    if verdict is None:
        return
    if verdict.watched_since is not None:
        yield "Watched since", f"{verdict.watched_since:%Y-%m-%d}"
    yield "Judged", f"{verdict.judged_at:%Y-%m-%d %H:%M} UTC"
    yield "Silence score", "not judged" if verdict.score is None else f"{verdict.score:.2f}"
    if verdict.profile is not None:
        yield "Profile", verdict.profile.reason
    if verdict.worth is not None:
        yield "High-quality links in 90 days", f"{verdict.worth.worthy_in_90_days:,}"
    if detail.visits:
        yield "Visits", ", ".join(f"{each.visits:,} from {each.domain}" for each in detail.visits[:5])
