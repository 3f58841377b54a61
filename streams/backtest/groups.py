"""The alerts on groups of registered articles that would have come, by the very judgement that the worker uses."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from flatline.backtest.histories import History
from flatline.backtest.visibility_history import VisibilityHistory
from flatline.domain.groups import replay as group_replay
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.article import Registration
from flatline.domain.time import day_of, to_ms
from flatline.schema.group import GroupKind, GroupState, GroupVerdict

STEP_DAYS: Final = 7
CONTRIBUTIONS_MAX: Final = 400_000
"""So many articles times rounds take some 20 s; beyond that the steps are longer, in whole weeks."""


class GroupAlert(NamedTuple):
    """A group that was under its curve from a day on; ``until_day`` is None if it still was at the end."""

    day: int
    until_day: int | None
    verdict: GroupVerdict

    def takes_over(self, registration: Registration, day: int) -> bool:
        """Whether a silence of an article of the group is not reported on a day, as the group's alert stands."""
        names = {
            GroupKind.SERIES: registration.series,
            GroupKind.AUTHOR: registration.author,
            GroupKind.STRATEGY: registration.strategy,
        }
        is_standing = self.day <= day and (self.until_day is None or day < self.until_day)
        return is_standing and names.get(self.verdict.kind) == self.verdict.name


def group_alerts(
    histories: Sequence[History],
    thresholds: Thresholds,
    *,
    end_day: int,
    watched_since_ms: int,
    visibility: VisibilityHistory,
) -> list[GroupAlert]:
    """Return the alerts on the groups of these articles, judged once a week, in order of time."""
    known = [_Known(history, watched_since_ms, visibility) for history in histories]
    articles = {each.history.article: each for each in known if each.history.links}
    if not articles:
        return []
    begin_day = max(min(next(iter(each.history.links)) for each in articles.values()), day_of(watched_since_ms))
    rounds = (end_day - begin_day) // STEP_DAYS + 1
    step_days = STEP_DAYS * max(1, -(-rounds * len(articles) // CONTRIBUTIONS_MAX))
    verdicts = group_replay.replay_groups(
        [each.history for each in articles.values()],
        days=range(begin_day + step_days, end_day + 2, step_days),
        thresholds=thresholds,
        is_unseen=lambda article, day: articles[article].is_unseen(day),
    )
    return sorted(_alerts(verdicts), key=lambda alert: (alert.day, alert.verdict.kind, alert.verdict.name))


class _Known:
    """An article as groups know it, and what its sources could see."""

    def __init__(self, history: History, watched_since_ms: int, visibility: VisibilityHistory) -> None:
        article, registration = history.article(), history.registration
        article.apply(history.observations, Counter())
        self._sources, self._visibility = article.header.sources, visibility
        self.history = group_replay.MemberHistory(
            article.key.decode(),
            article.totals.days,
            strategy=registration.strategy,
            series=registration.series,
            author=registration.author,
            published_day=registration.published_day,
            watched_day=day_of(watched_since_ms),
        )

    def is_unseen(self, day: int) -> bool:
        """Whether too little of it can be seen at the beginning of a day."""
        last_link_day = max(linked for linked in self.history.links if linked < day)
        return self._visibility.is_hardly_seen(self._sources, last_link_day=last_link_day, day=day - 1)


def _alerts(verdicts: Iterable[GroupVerdict]) -> Iterator[GroupAlert]:
    standing: dict[tuple[GroupKind, str], GroupAlert] = {}
    for verdict in verdicts:
        group, day = (verdict.kind, verdict.name), day_of(to_ms(verdict.judged_at))
        if verdict.state is GroupState.UNDER_CURVE:
            standing.setdefault(group, GroupAlert(day, None, verdict))
        elif group in standing:
            yield standing.pop(group)._replace(until_day=day)
    yield from standing.values()
