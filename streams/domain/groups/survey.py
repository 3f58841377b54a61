"""The survey of a partition: what its articles add up to, group by group, once a round.

A round takes as long as judging every article of the partition once. Articles add up by membership first, so that the
cost of one doesn't grow with the groups that it belongs to.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import add
from typing import Final, NamedTuple, Self

from flatline.domain.groups.weekly_links import JOINED_WEEKS, WEEKS, WeeklyLinks, last_whole_week, weekly_links
from flatline.domain.learned.curve import BINS, EDGES_DAYS
from flatline.domain.learned.expectation import WINDOWS_DAYS, Expectation
from flatline.domain.state.article import Article
from flatline.domain.state.totals import gained_in_days
from flatline.domain.time import DAY_MS, day_of, to_datetime
from flatline.domain.urls.canonical import referring_domain
from flatline.schema.group import GroupKind
from flatline.schema.verdict import State

GROUPS_MAX: Final = 2_000
"""Groups of a partition that are published, the largest first."""

YEAR_WEEKS: Final = 52

_MEMBERSHIPS_MAX: Final = 2_000


class Group(NamedTuple):
    """A group of articles."""

    kind: GroupKind
    name: str


class Membership(NamedTuple):
    """All groups that an article belongs to."""

    site: str
    strategy: str | None
    series: str | None
    author: str | None
    month: str | None

    @classmethod
    def of(
        cls, key: str, *, strategy: str | None, series: str | None, author: str | None, begin_day: int | None
    ) -> Self:
        """Return that of the article at a canonical URL; ``begin_day``: of publication, else of the first link."""
        month = None if begin_day is None else f"{to_datetime(begin_day * DAY_MS):%Y-%m}"
        return cls(referring_domain(key), strategy, series, author, month)

    @property
    def groups(self) -> list[Group]:
        """The groups."""
        return [Group(kind, name) for kind, name in zip(_KINDS, self, strict=True) if name]


def membership_of(article: Article) -> Membership:
    """Return the groups that an article belongs to."""
    registration, rhythm = article.header.registration, article.rhythm
    first_day = None if rhythm is None else rhythm.first_day
    published = registration.published_day
    return Membership.of(
        article.key.decode(),
        strategy=registration.strategy,
        series=registration.series,
        author=registration.author,
        begin_day=first_day if published is None else published,
    )


_KINDS: Final = (GroupKind.SITE, GroupKind.STRATEGY, GroupKind.SERIES, GroupKind.AUTHOR, GroupKind.MONTH)


class Sums(NamedTuple):
    """What articles add up to. ``values``, in this order, are what is added; the rest reads them.

    articles; links of the last YEAR_WEEKS of articles that can't be seen, and the same times the days for which they
    could not: nothing else of these counts; links after the first day of articles whose first days could be seen, and
    the share of the curve that they have passed; links that articles were expected to gain after their first day and
    that they gained, window by window; links that all of them gained, window by window; links within each bin of the
    curve, of articles that have passed it; their links by its end; links by week, the newest first; links from before
    the watch, by the week in which that began.
    """

    values: Sequence[float]

    @property
    def articles(self) -> int:
        """How many articles."""
        return round(self.values[0])

    @property
    def unseen_share(self) -> float:
        """The share of the links of the last YEAR_WEEKS that is of articles that can't be seen."""
        links = self.values[1] + sum(self.weekly.gained[:YEAR_WEEKS])
        return self.values[1] / links if links else 0.0

    @property
    def unseen_days(self) -> float:
        """For how many days they can't, on average over their links."""
        return self.values[2] / self.values[1] if self.values[1] else 0.0

    @property
    def links(self) -> float:
        """Links after the first day, of articles whose first days could be seen."""
        return self.values[3]

    @property
    def passed(self) -> float:
        """The shares of the curve that these articles have passed."""
        return self.values[4]

    @property
    def expected(self) -> Sequence[float]:
        """Links expected after the first days, by window."""
        return self.values[_WINDOWS:_ALL_GAINED:2]

    @property
    def gained(self) -> Sequence[float]:
        """Links gained after the first days, by window."""
        return self.values[_WINDOWS + 1 : _ALL_GAINED : 2]

    @property
    def all_gained(self) -> Sequence[float]:
        """All links gained, by window."""
        return self.values[_ALL_GAINED:_WITHIN]

    @property
    def within(self) -> Sequence[float]:
        """Links within each bin of the curve, of articles that have passed it."""
        return self.values[_WITHIN:_BY_END]

    @property
    def by_end(self) -> Sequence[float]:
        """Links of these articles by the end of the bin."""
        return self.values[_BY_END:_WEEKLY]

    @property
    def weekly(self) -> WeeklyLinks:
        """All links, by week."""
        return WeeklyLinks(self.values[_WEEKLY:_JOINED], self.values[_JOINED:VALUES])


_WINDOWS: Final = 5
_ALL_GAINED: Final = _WINDOWS + 2 * len(WINDOWS_DAYS)
_WITHIN: Final = _ALL_GAINED + len(WINDOWS_DAYS)
_BY_END: Final = _WITHIN + BINS
_WEEKLY: Final = _BY_END + BINS
_JOINED: Final = _WEEKLY + WEEKS
VALUES: Final = _JOINED + JOINED_WEEKS

NOTHING: Final = Sums([0.0] * VALUES)


def up_to_week(values: Sequence[float], weeks_before: int) -> Sequence[float]:
    """Return the values of `Sums` up to a week that is so many before their last one."""
    if not weeks_before:
        return values
    dropped = [0.0] * min(weeks_before, WEEKS)
    gained = [*values[_WEEKLY + weeks_before : _JOINED], *dropped]
    joined = list(values[_JOINED:])
    if joined:
        at_week = sum(joined[: weeks_before + 1])
        joined = [at_week, *joined[weeks_before + 1 :], *dropped][:JOINED_WEEKS]
        joined += [0.0] * (JOINED_WEEKS - len(joined))
    return [*values[:_WEEKLY], *gained, *joined]


def sums_of(
    *, articles: int, all_gained: Sequence[float], weekly: WeeklyLinks, unseen_links: float, unseen_link_days: float
) -> Sums:
    """Return the sums of articles of whose curves nothing is asked."""
    values = list(NOTHING.values)
    values[:3] = float(articles), unseen_links, unseen_link_days
    values[_ALL_GAINED:_WITHIN] = all_gained
    values[_WEEKLY:_JOINED], values[_JOINED:] = weekly
    return Sums(values)


def contribution(
    expectation: Expectation | None,
    links: dict[int, int],
    *,
    watched_day: int,
    last_week: int,
    now_ms: int,
    unseen_days: float | None = None,
) -> list[float]:
    """Return the values of one article with these links by UTC day, in order of days.

    ``unseen_days``: for how long it can't be seen; None if it can. While it can't, its group is judged without it: the
    links that nobody reports are missing, and those of before would make what the others gain look few.
    """
    if expectation is None:
        return [1.0, *NOTHING.values[1:]]
    weekly = weekly_links(links, watched_day=watched_day, last_week=last_week)
    if unseen_days is not None:
        of_year = sum(weekly.gained[:YEAR_WEEKS])
        return [1.0, of_year, of_year * unseen_days, *NOTHING.values[3:]]
    last_day = day_of(now_ms - 1)
    all_gained = [gained_in_days(links, days, today=last_day) for days in WINDOWS_DAYS]
    windows, links_by_bin = expectation.windows, expectation.links_by_bin
    within, by_end = _NO_BINS, _NO_BINS
    after_first_day, passed = 0, 0.0
    if links_by_bin is not None and expectation.passed is not None:
        passed, after_first_day = expectation.passed, sum(links_by_bin)
        if after_first_day:
            within, by_end = _passed_bins(links_by_bin, expectation.age_days)
    values = [1.0, 0.0, 0.0, after_first_day, passed]
    for expected, gained, _, _ in windows:
        values.append(expected)
        values.append(gained)
    return [*values, *all_gained, *within, *by_end, *weekly.gained, *weekly.joined]


_NO_BINS: Final = [0.0] * BINS


class Survey:
    """One round over the articles of a partition, which began at ``began_ms``.

    ``last_week`` is the week that was the last to end by then: a round that goes on into the next counts up to it.
    """

    def __init__(self, began_ms: int) -> None:
        self.began_ms = began_ms
        self.last_week = last_whole_week(began_ms)
        self.left_out = 0
        self._memberships: dict[Membership, list[float]] = {}
        self._states: dict[Membership, Counter[State]] = {}
        self._groups: dict[Group, tuple[list[float], Counter[State]]] = {}

    def add(self, membership: Membership, values: Sequence[float], state: State) -> None:
        """Add an article."""
        known = self._memberships.get(membership)
        if known is None:
            if len(self._memberships) >= _MEMBERSHIPS_MAX:
                self._spread()
            self._memberships[membership] = list(values)
            self._states[membership] = Counter((state,))
        else:
            known[:] = map(add, known, values)
            self._states[membership][state] += 1

    def groups(self) -> Iterator[tuple[Group, Sums, Counter[State]]]:
        """Yield what each group adds up to, the largest GROUPS_MAX first; afterwards nothing more may be added."""
        self._spread()
        self._drop_smallest(GROUPS_MAX)
        for group, (values, states) in self._groups.items():
            yield group, Sums(values), states

    def _spread(self) -> None:
        for membership, values in self._memberships.items():
            for group in membership.groups:
                known = self._groups.get(group)
                if known is None:
                    known = self._groups[group] = ([0.0] * VALUES, Counter())
                known[0][:] = map(add, known[0], values)
                known[1].update(self._states[membership])
        self._memberships.clear()
        self._states.clear()
        self._drop_smallest(4 * GROUPS_MAX)

    def _drop_smallest(self, size: int) -> None:
        excess = len(self._groups) - size
        if excess > 0:
            self.left_out += excess
            for group in sorted(self._groups, key=lambda group: self._groups[group][0][0])[:excess]:
                del self._groups[group]


def _passed_bins(links_by_bin: Sequence[int], age_days: float) -> tuple[list[float], list[float]]:
    """Return the links within each bin that an age has passed, and those by its end; 0 for bins that it has not."""
    within, by_end = [0.0] * BINS, [0.0] * BINS
    so_far = 0
    for number, links in enumerate(links_by_bin):
        if EDGES_DAYS[number + 1] > age_days:
            break
        so_far += links
        within[number], by_end[number] = links, so_far
    return within, by_end
