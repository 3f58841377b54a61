"""The curves of cohorts side by side: articles of a site, a strategy or a month of publication."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import nlargest
from itertools import pairwise
from typing import Final, NamedTuple

from flatline.domain.groups.survey import Group
from flatline.domain.groups.totals import GroupTotal, GroupTotals
from flatline.domain.learned.curve import BINS, EDGES_DAYS, PRIOR, PRIOR_LINKS, Curve, learned
from flatline.schema.group import GroupKind

AGES_DAYS: Final = (7, 28, 90, 180, 365, 730, 1460)
KINDS: Final = (GroupKind.SITE, GroupKind.STRATEGY, GroupKind.MONTH)


class Cohort(NamedTuple):
    """``share_by_days``: of all links after the first day, by AGES_DAYS; None at ages that too few have passed."""

    kind: str
    name: str
    articles: int
    links: int
    share_by_days: Mapping[int, float | None]


def _cohort(kind: str, name: str, articles: int, curve: Curve, *, passed: Sequence[bool]) -> Cohort:
    known = {right: passed[number] for number, (_, right) in enumerate(pairwise(EDGES_DAYS))}
    shares = {age: round(curve.share(age), 3) if known[age] else None for age in AGES_DAYS}
    return Cohort(kind, name, articles, curve.links, shares)


QUOTED: Final = _cohort("quoted", "66 % in 90 days", 0, PRIOR, passed=[True] * BINS)


class Cohorts:
    """The cohorts of a group_totals as it is now."""

    def __init__(self, group_totals: GroupTotals) -> None:
        self._by_group = group_totals.by_group
        self._known: dict[Group, Cohort] = {}
        sites = [total for group, total in self._by_group.items() if group.kind is GroupKind.SITE]
        within, by_end = _summed(sites, "within"), _summed(sites, "by_end")
        self._prior = learned(within, by_end)
        articles = sum(site.sums.articles for site in sites)
        self.all = _cohort("all", "all", articles, self._prior, passed=_passed(by_end))

    def of_kinds(self, kinds: Iterable[GroupKind]) -> Iterator[Cohort]:
        """Yield the cohorts of these kinds, kind by kind, by name."""
        for kind in kinds:
            for group in sorted(group for group in self._by_group if group.kind is kind):
                yield self.of(group)

    def newest_months(self, count: int) -> Sequence[Group]:
        """Return the groups of the newest months of publication."""
        return nlargest(count, (group for group in self._by_group if group.kind is GroupKind.MONTH))

    def largest_strategies(self, count: int) -> Sequence[Group]:
        """Return the groups of the strategies with most articles."""
        strategies = (group for group in self._by_group if group.kind is GroupKind.STRATEGY)
        return nlargest(count, strategies, key=lambda group: (self._by_group[group].sums.articles, group))

    def of(self, group: Group) -> Cohort:
        """Return that of one group: where it has few links, its curve is that of all articles."""
        if group not in self._known:
            sums = self._by_group[group].sums
            curve = learned(sums.within, sums.by_end, prior=self._prior)
            self._known[group] = _cohort(group.kind, group.name, sums.articles, curve, passed=_passed(sums.by_end))
        return self._known[group]


def _summed(totals: Sequence[GroupTotal], name: str) -> list[float]:
    return [sum(getattr(total.sums, name)[number] for total in totals) for number in range(BINS)]


def _passed(by_end: Sequence[float]) -> list[bool]:
    return [links >= PRIOR_LINKS / 10 for links in by_end]
