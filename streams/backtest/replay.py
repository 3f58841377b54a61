"""Replays the judgement of one article day by day, by the code that the worker uses.

Live, each article is judged when something changes and once a day. Here it is judged on the days with events, and
between them only where the answer changes, or where something else can be seen.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import partial
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from flatline.backtest.changes import changes
from flatline.backtest.histories import History
from flatline.backtest.visibility_history import VisibilityHistory
from flatline.domain.judgement.evidence import Evidence, evidence_of
from flatline.domain.judgement.judgement import Judgement, judge
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.article_link_value import article_link_value
from flatline.domain.state.article import Article
from flatline.domain.state.link import Effect
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.time import DAY_MS, EARLIEST_MS, day_of
from flatline.schema.verdict import FindingKind, State

NEWS: Final = frozenset({State.SILENT, State.REVIVED})
"""The states that alert when they begin."""
EVERYTHING_SEEN: Final = VisibilityHistory(end_day=0)


class Ending(StrEnum):
    """What became of an alert on silence."""

    RIGHT = "right"  # no link within the horizon
    WRONG = "wrong"  # a link came
    OPEN = "open"  # the history ends before that is known


class Alert(NamedTuple):
    """What was said on a day; ``delay_days`` since the last link. ``ending`` is None for what is not about silence.

    ``probability``: of no link within the horizon, as it was said.
    """

    day: int
    key: bytes
    kind: State | FindingKind
    reason: str
    ending: Ending | None = None
    delay_days: int | None = None
    probability: float | None = None


class JudgedDay(NamedTuple):
    """A judgement, and all of it that can alert."""

    judgement: Judgement
    previous_verdict: PreviousVerdict

    @property
    def kinds(self) -> frozenset[State | FindingKind]:
        """The state and what was found beside it."""
        return frozenset({self.judgement.state, *self.judgement.findings})


def replay(
    history: History,
    policy: Policy,
    *,
    link_days: Sequence[int],
    end_day: int,
    watched_since_ms: int = EARLIEST_MS,
    visibility: VisibilityHistory = EVERYTHING_SEEN,
) -> Iterator[Alert]:
    """Yield the alerts on an article up to ``end_day``, as if it had been judged at the end of each day.

    ``link_days``: all of the history's, by which alerts are found right or wrong.
    """
    if not _may_alert(history, link_days, policy):
        return
    ending = partial(ending_of, link_days, end_day, policy.hazard.horizon_days)
    last: JudgedDay | None = None
    days = judgements(history, policy, end_day=end_day, watched_since_ms=watched_since_ms, visibility=visibility)
    for day, article, judged in days:
        for kind in _news(judged, last):
            yield _alert(day, article, kind, judged, ending=ending)
        last = judged


def judgements(
    history: History,
    policy: Policy,
    *,
    end_day: int,
    watched_since_ms: int = EARLIEST_MS,
    visibility: VisibilityHistory = EVERYTHING_SEEN,
) -> Iterator[tuple[int, Article, JudgedDay]]:
    """Yield what is said on each day up to ``end_day`` with an event or a change, and the article as it is then.

    It is always the same article, which grows.
    """
    article = history.article(watched_since_ms=watched_since_ms)
    effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
    days = [
        (day, list(seen))
        for day, seen in groupby(history.observations, key=lambda observation: day_of(observation.at_ms))
    ]
    last: JudgedDay | None = None
    for number, (day, observations) in enumerate(days):
        if day > end_day:
            return
        article.apply(observations, effects)
        until = min(days[number + 1][0] - 1, end_day) if number + 1 < len(days) else end_day
        for changed, judged in _changes(article, policy, visibility, last, first=day, until=until):
            yield changed, article, judged
            last = judged


def _may_alert(history: History, link_days: Sequence[int], policy: Policy) -> bool:
    """Whether there is enough to judge, or to lose: most addresses of the web have a link or two."""
    enough = policy.thresholds_of(history.registration.tier).link_days_min
    return len(link_days) >= enough or sum(not observation.is_gain for observation in history.observations) >= enough


def _changes(
    article: Article,
    policy: Policy,
    visibility: VisibilityHistory,
    last: JudgedDay | None,
    *,
    first: int,
    until: int,
) -> Iterator[tuple[int, JudgedDay]]:
    """Yield what is said on ``first``, and on each later day that brings a change while no event comes."""
    thresholds = policy.thresholds_of(article.header.registration.tier)
    # What is known of the referring domains by their other links moves no verdict, and is left out.
    link_value = article_link_value(article, quality_min=thresholds.worthy_quality)
    sources = article.header.sources
    begins = [first, *visibility.changes(sources, after=first, until=until)]

    def evidence(day: int) -> Evidence:
        return evidence_of(article, visibility.on(day, sources), link_value=link_value, now_ms=_end_ms(day))

    judge_day = partial(_judge_day, evidence, thresholds, policy.hazard)
    for begin, next_begin in pairwise([*begins, until + 1]):
        for day, judged in changes(judge_day, _is_same, last, first=begin, until=next_begin - 1):
            yield day, judged
            last = judged


def _end_ms(day: int) -> int:
    return (day + 1) * DAY_MS - 1


def _is_same(judged: JudgedDay, other: JudgedDay) -> bool:
    return judged.kinds == other.kinds


def _judge_day(
    evidence: Callable[[int], Evidence], thresholds: Thresholds, hazard: Hazard, last: JudgedDay | None, day: int
) -> JudgedDay:
    judgement = judge(
        evidence(day),
        previous=None if last is None else last.previous_verdict,
        now_ms=_end_ms(day),
        thresholds=thresholds,
        hazard=hazard,
    )
    return JudgedDay(judgement, judgement.as_previous_verdict())


def _news(judged: JudgedDay, last: JudgedDay | None) -> list[State | FindingKind]:
    known = last.kinds if last else frozenset()
    return sorted(kind for kind in judged.kinds - known if isinstance(kind, FindingKind) or kind in NEWS)


def _alert(
    day: int, article: Article, kind: State | FindingKind, judged: JudgedDay, *, ending: Callable[[int], Ending]
) -> Alert:
    if isinstance(kind, FindingKind):
        return Alert(day, article.key, kind, judged.judgement.findings[kind].reason)
    reason, rhythm = judged.judgement.reason, article.rhythm
    if kind is not State.SILENT or rhythm is None:
        return Alert(day, article.key, kind, reason)
    return Alert(day, article.key, kind, reason, ending(day), day - rhythm.last_day, judged.judgement.probability)


def ending_of(link_days: Sequence[int], end_day: int, horizon_days: int, day: int) -> Ending:
    """Say what became of an alert on a day, by the link days that came after it."""
    if any(day < link_day <= day + horizon_days for link_day in link_days):
        return Ending.WRONG
    return Ending.RIGHT if day + horizon_days <= end_day else Ending.OPEN
