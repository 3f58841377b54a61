"""The alerts on groups of registered articles that would have come, by the very judgement that the worker uses."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from flatline.backtest.histories import History
from flatline.backtest.visibility_history import VisibilityHistory
from flatline.domain.groups import replay as group_replay
from flatline.domain.groups.weekly_links import WEEK_DAYS, WEEKS, last_day_of, week_of
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.article import Registration
from flatline.domain.time import DAY_MS, day_of, to_ms
from flatline.domain.visibility.visibility import UNSEEN_DAYS_MAX
from flatline.schema.group import GroupKind, GroupState, GroupVerdict


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
    known = [_Known(history, watched_since_ms) for history in histories]
    articles = [each for each in known if each.history.links]
    if not articles:
        return []
    begin_day = max(min(next(iter(each.history.links)) for each in articles), day_of(watched_since_ms))
    first_monday = last_day_of(week_of(begin_day)) + 1
    verdicts = group_replay.replay_groups(
        [each.history for each in articles],
        days=range(first_monday, end_day + 2, WEEK_DAYS),
        thresholds=thresholds,
        unseen=_Unseen(articles, visibility),
    )
    return sorted(_alerts(verdicts), key=lambda alert: (alert.day, alert.verdict.kind, alert.verdict.name))


class _Known:
    """An article as groups know it, and what its sources reported."""

    def __init__(self, history: History, watched_since_ms: int) -> None:
        article, registration = history.article(), history.registration
        article.apply(history.observations, Counter())
        self.sources = article.header.sources
        self.history = group_replay.MemberHistory(
            article.key.decode(),
            article.totals.days,
            strategy=registration.strategy,
            series=registration.series,
            author=registration.author,
            published_day=registration.published_day,
            watched_day=day_of(watched_since_ms),
        )
        self._link_days = list(article.totals.days)

    def last_link_day(self, day: int) -> int | None:
        """Return the last day with a link before a day; None without any."""
        at = bisect_left(self._link_days, day)
        return self._link_days[at - 1] if at else None


class _Unseen:
    """Says which articles can't be seen. Only those of sources that are behind are asked, and whose links count."""

    def __init__(self, articles: Sequence[_Known], visibility: VisibilityHistory) -> None:
        self._visibility = visibility
        self._by_source: defaultdict[str, list[_Known]] = defaultdict(list)
        for article in articles:
            for source in article.sources:
                self._by_source[source].append(article)

    def __call__(self, day: int) -> Mapping[str, float]:
        """Return for how many days each could not be seen, at the beginning of a day."""
        visibility, now_ms = self._visibility.on(day - 1, self._by_source.keys()), day * DAY_MS - 1
        found: dict[str, float] = {}
        for source, delay in visibility.delays.items():
            if not delay.is_stale and now_ms - delay.seen_until_ms <= UNSEEN_DAYS_MAX * DAY_MS:
                continue
            for article in self._by_source[source]:
                last_day = article.last_link_day(day)
                if last_day is None or day - last_day > (WEEKS + 1) * WEEK_DAYS:
                    continue
                if article.history.article not in found:
                    seen = visibility.of_article(article.sources, since_ms=last_day * DAY_MS, now_ms=now_ms)
                    if seen.is_hardly_seen:
                        found[article.history.article] = seen.unseen_days
        return found


def _alerts(verdicts: Iterable[GroupVerdict]) -> Iterator[GroupAlert]:
    standing: dict[tuple[GroupKind, str], GroupAlert] = {}
    for verdict in verdicts:
        group, day = (verdict.kind, verdict.name), day_of(to_ms(verdict.judged_at))
        if verdict.state is GroupState.UNDER_CURVE:
            standing.setdefault(group, GroupAlert(day, None, verdict))
        elif group in standing:
            yield standing.pop(group)._replace(until_day=day)
    yield from standing.values()
