"""The survey of a partition: what its articles add up to, group by group, once a round.

A round takes as long as judging every article of the partition once. Articles add up by membership first, so that the
cost of one doesn't grow with the groups that it belongs to.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import add
from typing import Final, NamedTuple, Self

from flatline.domain.learned.curve import BINS, EDGES_DAYS
from flatline.domain.learned.expectation import BLOCKS, WINDOWS_DAYS, Expectation
from flatline.domain.state.article import Article
from flatline.domain.time import DAY_MS, to_datetime
from flatline.domain.urls.canonical import referring_domain
from flatline.schema.group import GroupKind
from flatline.schema.verdict import State

GROUPS_MAX: Final = 2_000
"""Groups of a partition that are published, the largest first."""

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

    articles; links expected in 90 days of articles that can't be seen, which are left out of all that follows; links
    after the first day of those whose first days could be seen, and the share of the curve that they have passed;
    squared differences of blocks, of those blocks alone that began under watch; expected and gained, window by window;
    expected and gained, block by block; links within each bin of the curve, of articles that have passed it; their
    links by its end.
    """

    values: Sequence[float]

    @property
    def articles(self) -> int:
        """How many articles."""
        return round(self.values[0])

    @property
    def unseen_expected(self) -> float:
        """Links expected in 90 days of articles whose usual sources can't be seen."""
        return self.values[1]

    @property
    def links(self) -> float:
        """Links after the first day, of articles whose first days could be seen."""
        return self.values[2]

    @property
    def passed(self) -> float:
        """The shares of the curve that these articles have passed."""
        return self.values[3]

    @property
    def squares(self) -> float:
        """Squared differences between gained and expected links, of all blocks of all articles."""
        return self.values[_SQUARES]

    @property
    def expected(self) -> Sequence[float]:
        """Links expected, by window."""
        return self.values[_WINDOWS:_BLOCKS:2]

    @property
    def gained(self) -> Sequence[float]:
        """Links gained, by window."""
        return self.values[_WINDOWS + 1 : _BLOCKS : 2]

    @property
    def blocks_expected(self) -> Sequence[float]:
        """Links expected, by block."""
        return self.values[_BLOCKS:_WITHIN:2]

    @property
    def blocks_gained(self) -> Sequence[float]:
        """Links gained, by block."""
        return self.values[_BLOCKS + 1 : _WITHIN : 2]

    @property
    def within(self) -> Sequence[float]:
        """Links within each bin of the curve, of articles that have passed it."""
        return self.values[_WITHIN:_BY_END]

    @property
    def by_end(self) -> Sequence[float]:
        """Links of these articles by the end of the bin."""
        return self.values[_BY_END:]


_SQUARES: Final = 4
_WINDOWS: Final = 5
_BLOCKS: Final = _WINDOWS + 2 * len(WINDOWS_DAYS)
_WITHIN: Final = _BLOCKS + 2 * BLOCKS
_BY_END: Final = _WITHIN + BINS
VALUES: Final = _BY_END + BINS

NOTHING: Final = Sums([0.0] * VALUES)


def contribution(expectation: Expectation | None, *, is_unseen: bool) -> list[float]:
    """Return the values of one article. While it can't be seen, nothing is asked of it, and it teaches nothing."""
    if expectation is None:
        return [1.0, *NOTHING.values[1:]]
    windows, blocks, links_by_bin = expectation.windows, expectation.blocks, expectation.links_by_bin
    if is_unseen:
        return [1.0, windows[-1].expected, *NOTHING.values[2:]]
    within, by_end = _NO_BINS, _NO_BINS
    links, passed = 0, 0.0
    if links_by_bin is not None and expectation.passed is not None:
        passed, links = expectation.passed, sum(links_by_bin)
        if links:
            within, by_end = _passed_bins(links_by_bin, expectation.age_days)
    values = [1.0, 0.0, links, passed, 0.0]
    for expected, gained, _, _ in windows:
        values.append(expected)
        values.append(gained)
    squares = 0.0
    for expected, gained in blocks:
        values.append(expected)
        values.append(gained)
        squares += (gained - expected) ** 2
    values[_SQUARES] = squares
    values += [0.0] * (_WITHIN - len(values))
    values += within
    values += by_end
    return values


_NO_BINS: Final = [0.0] * BINS


class Survey:
    """One round over the articles of a partition, which began at ``began_ms``."""

    def __init__(self, began_ms: int) -> None:
        self.began_ms = began_ms
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
