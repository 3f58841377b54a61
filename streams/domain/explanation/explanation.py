"""Builds the explanation of a verdict: everything that it is based on."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Final, NamedTuple

from flatline.domain.events.look_changes import LOOK_CHANGE_PHRASES, Looked, look_changes
from flatline.domain.explanation.explained import (
    Change,
    CurvePoint,
    ExplainedGroup,
    ExplainedImport,
    ExplainedInfluence,
    ExplainedLink,
    ExplainedSource,
    Explanation,
    LinkDayStatistics,
)
from flatline.domain.explanation.trajectory import trajectory
from flatline.domain.groups.survey import Group, membership_of
from flatline.domain.imports.imports import Imports
from flatline.domain.imports.moments import Moment
from flatline.domain.judgement.evidence import Circumstances
from flatline.domain.judgement.judge_article import judge_article
from flatline.domain.judgement.states import is_judgeable, quiet_since_day
from flatline.domain.judgement.verdict import published_expectation
from flatline.domain.learned.domain_reputation import DomainReputation
from flatline.domain.learned.expectation import Baseline
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.article_link_value import article_link_value, natural_anchors
from flatline.domain.quality.per_link import WeighedLink, newest
from flatline.domain.state import link
from flatline.domain.state.article import Article
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.reported_weeks import week_begins_ms, weeks_of
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import DAY_MS, day_of, to_datetime
from flatline.domain.urls.fingerprints import referrer
from flatline.domain.visibility.sources import Freshness
from flatline.domain.visibility.visibility import ArticleVisibility, Visibility
from flatline.schema.group import GroupVerdict
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline.schema.verdict import Verdict

_FORESEEN_DAYS: Final = 3_650


class ExplanationContext(NamedTuple):
    """What an explanation goes by that is not the article's own.

    ``baseline``   what is learned of articles like it
    ``imports``    those that were recognised
    ``events``     of the article, as far as they are kept: they name the pages
    ``freshness``  of sources
    ``groups``     the newest verdicts
    ``changes``    what was said of the article in the past
    ``retired_ms``  since when it is marked as retired
    """

    policy: Policy
    visibility: Visibility = Visibility()
    baseline: Baseline = Baseline()
    reputation_of: Callable[[bytes], DomainReputation] | None = None
    imports: Imports | None = None
    events: Iterable[LinkEvent] = ()
    freshness: Mapping[str, Freshness] = {}
    groups: Mapping[Group, GroupVerdict] = {}
    changes: Iterable[Change] = ()
    published: Verdict | None = None
    retired_ms: int | None = None


def explain(
    article: Article, context: ExplanationContext, *, previous: PreviousVerdict | None, now_ms: int, links: int
) -> Explanation:
    """Explain what is said of an article at ``now_ms``, with its newest ``links``; ``previous``: what was said."""
    imports = _imports(article, context.imports or Imports())
    imported = frozenset(at_ms for _, at_ms in imports)
    article = article.without_imports(imported)
    header, today = article.header, day_of(now_ms)
    thresholds, hazard = context.policy.thresholds_of(header.registration.tier), context.policy.hazard
    published, watched = header.registration.published_day, day_of(header.watched_since_ms)
    link_value = article_link_value(article, quality_min=thresholds.worthy_quality, reputation_of=context.reputation_of)
    expectation, evidence, _, verdict = judge_article(
        article,
        context.visibility,
        link_value=link_value,
        baseline=context.baseline,
        policy=context.policy,
        previous=previous,
        now_ms=now_ms,
        retired_ms=context.retired_ms,
    )
    rhythm, visibility = article.rhythm, evidence.visibility
    season_until_day = evidence.season.until_day if evidence.season else 0
    at = Circumstances(today, thresholds, hazard, previous=previous, season_until_day=season_until_day)
    is_judged = rhythm is not None and is_judgeable(rhythm, at)
    seen_day = _seen_day(rhythm, visibility, today) if rhythm else today
    return Explanation(
        verdict=verdict,
        said=context.published,
        probability=hazard.probability(rhythm, seen_day) if rhythm and is_judged else None,
        score=hazard.score(rhythm, seen_day) if rhythm and is_judged else None,
        typical_probability=hazard.typical_probability,
        pace=_pace(rhythm, article.totals.days, today) if rhythm else None,
        moved_by=_moved(hazard, rhythm, seen_day) if rhythm and is_judged else [],
        cooling_from=_cooling_from(rhythm, at) if rhythm and is_judged else None,
        silent_from=_silent_from(rhythm, at) if rhythm and is_judged else None,
        pauses_until=_date(evidence.season.return_day) if evidence.season and today <= season_until_day else None,
        unseen_days=round(visibility.unseen_days, 1),
        unseen_because=visibility.reason,
        expectation=published_expectation(expectation) if expectation else None,
        evergreen=round(expectation.evergreen, 2) if expectation else None,
        curve_links=context.baseline.curve.links,
        curve=[
            CurvePoint(_date(point.day), point.gained, round(point.expected, 2))
            for point in trajectory(
                article.totals.days,
                published_day=published,
                watched_day=watched,
                today=today,
                baseline=context.baseline,
            )
        ],
        links=_links(article, context, thresholds, number=links, imported=imported),
        recognised_imports=[
            ExplainedImport(source, to_datetime(at_ms), number) for (source, at_ms), number in imports.items()
        ],
        sources=_sources(article, context, now_ms=now_ms),
        groups=[
            ExplainedGroup(each.kind, each.name, context.groups.get(each)) for each in membership_of(article).groups
        ],
        policy=thresholds,
        changes=list(context.changes),
    )


def _seen_day(rhythm: Rhythm, visibility: ArticleVisibility, today: int) -> int:
    return max(today - int(visibility.unseen_days), rhythm.last_day)


def _pace(rhythm: Rhythm, days: Iterable[int], today: int) -> LinkDayStatistics:
    return LinkDayStatistics(
        link_days=rhythm.link_days,
        first_link_on=_date(rhythm.first_day),
        last_link_on=_date(rhythm.last_day),
        days_since_last_link=rhythm.days_since_last_link(today),
        usual_gap_days=round(rhythm.usual_gap_days, 1),
        mean_gap_days=round(rhythm.mean_gap_days, 1),
        longest_gap_days=max((later - earlier for earlier, later in pairwise(days)), default=0),
    )


def _moved(hazard: Hazard, rhythm: Rhythm, day: int) -> list[ExplainedInfluence]:
    return [ExplainedInfluence(each.fact, round(each.logit, 2), each.speaks) for each in hazard.influences(rhythm, day)]


def _cooling_from(rhythm: Rhythm, at: Circumstances) -> date | None:
    """Return the first day of a doubt, while nothing of it was said; None where that is ten years away."""
    until_day = at.today + _FORESEEN_DAYS
    if at.hazard.score(rhythm, until_day) < at.thresholds.cooling_score:
        return None
    day = at.hazard.first_day_at(rhythm, at.thresholds.cooling_score, until_day=until_day)
    return _date(max(day, rhythm.last_day + int(rhythm.mean_gap_days) + 1, at.season_until_day + 1))


def _silent_from(rhythm: Rhythm, at: Circumstances) -> date | None:
    """Return the first day of a silence, by the same rule as the state; None where that is ten years away."""
    until_day = at.today + _FORESEEN_DAYS
    day = quiet_since_day(rhythm, at._replace(previous=None), until_day=until_day)
    return None if day == until_day else _date(day)


def _links(
    article: Article, context: ExplanationContext, thresholds: Thresholds, *, number: int, imported: Container[int]
) -> list[ExplainedLink]:
    weighed = newest(
        article.segments,
        number,
        quality_min=thresholds.worthy_quality,
        natural_anchors=lambda: natural_anchors(article),
        reputation_of=context.reputation_of or (lambda _domain: DomainReputation.UNKNOWN),
        visited=article.visiting_domains,
    )
    events = _by_page(context.events, {each.page for each in weighed})
    return [_explained_link(each, events[each.page], is_imported=each.gained_ms in imported) for each in weighed]


def _imports(article: Article, imports: Imports) -> dict[Moment, int]:
    """Return the imports that an article has links of, the newest first, and how many."""
    gained = Counter(
        fact >> link.FLAG_BITS for segment in article.segments for fact in segment.facts if fact & link.GAINED
    )
    moments = sorted(imports.moments_of(article.header.sources), key=lambda moment: moment[1], reverse=True)
    return {moment: gained[moment[1]] for moment in moments if gained[moment[1]]}


def _by_page(events: Iterable[LinkEvent], pages: set[bytes]) -> defaultdict[bytes, list[LinkEvent]]:
    """Return the events of each page that is asked for."""
    found: defaultdict[bytes, list[LinkEvent]] = defaultdict(list)
    for event in events:
        try:
            page, _ = referrer(event.url_from)
        except Rejected:
            continue
        if page in pages:
            found[page].append(event)
    return found


def _tells(event: LinkEvent) -> tuple[bool, bool]:
    return event.change == "gained", bool(event.anchor)


def _new_looks(events: Iterable[LinkEvent]) -> list[str]:
    """Return how a link changed its look, by its events that have a time, the newest first."""
    seen = [(at, event) for event in events if event.change == "gained" and (at := _looked_at(event)) is not None]
    known, found = Looked(), list[tuple[datetime, str]]()
    for at, event in sorted(seen, key=lambda each: each[0]):
        looked = Looked(event.rel, event.anchor, event.placement)
        for kind, words in look_changes(known, looked):
            said = (LOOK_CHANGE_PHRASES[kind], f"{at.astimezone(UTC):%Y-%m-%d}", words)
            found.append((at, " ".join(filter(None, said))))
        known = known.updated(looked)
    return [said for _, said in sorted(found, key=lambda each: each[0], reverse=True)]


def _looked_at(event: LinkEvent) -> datetime | None:
    stated = [at for at in (event.occurred_at, event.observed_at) if at is not None]
    return max(stated, default=None)


def _explained_link(weighed: WeighedLink, events: Sequence[LinkEvent], *, is_imported: bool) -> ExplainedLink:
    event = max(events, key=_tells, default=None)
    return ExplainedLink(
        gained_on=_date(day_of(weighed.gained_ms)),
        quality=round(weighed.quality.quality, 2),
        is_thin=weighed.is_thin,
        is_live=bool(weighed.flags & link.LIVE),
        is_sign_of_life=bool(weighed.flags & link.ORGANIC),
        is_recognised_import=is_imported,
        why=[sign.phrase for sign in weighed.quality.signs],
        url=event.url_from if event else None,
        anchor=event.anchor if event else None,
        source=event.source if event else None,
        lost_reason=weighed.lost_reason,
        new_looks=_new_looks(events),
    )


def _sources(article: Article, context: ExplanationContext, *, now_ms: int) -> list[ExplainedSource]:
    found = []
    for source, weeks in article.header.sources.items():
        fresh, delay = context.freshness.get(source), context.visibility.delays.get(source)
        found.append(
            ExplainedSource(
                source=source,
                last_reported_in_week_of=_date(day_of(week_begins_ms(weeks))),
                weeks_with_links=weeks_of(weeks),
                is_expected=source in context.visibility.expected,
                stale_for_days=round(fresh.staleness_ms / DAY_MS, 2) if fresh else None,
                stale_after_days=round(fresh.limit_ms / DAY_MS, 2) if fresh else None,
                is_stale=fresh is not None and fresh.is_stale,
                seen_until=_date(day_of(min(delay.seen_until_ms, now_ms))) if delay else None,
                because=delay.reason if delay else None,
            )
        )
    return sorted(found, key=lambda each: (each.last_reported_in_week_of, each.weeks_with_links), reverse=True)


def _date(day: int) -> date:
    return to_datetime(day * DAY_MS).date()
