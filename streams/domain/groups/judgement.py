"""The verdict on a group: whether so few links came, over some stretch of days up to now, that it is no chance.

A lower CUSUM over blocks of four weeks, added up anew each time from now back: of the stretches of 1 to BLOCKS blocks
the least probable one counts. Each block is expected from what came before it, so a slow decline adds up. What was
before an article was watched is no news.

Found by simulation: series of 20 articles with some 40 links a quarter. Of 40 whose rate falls by half over six months
30 are found within a year of its beginning, half of all by day 248; of 40 steady ones 3 have a false alarm in two
years, and 9 where links come in clumps of up to four. (Were what is expected taken for certain: 36, by day 206, for 5
and 15 false alarms.) At equal false alarms the tail of 90 days alone finds four
fifths as many, nine weeks later. A CUSUM kept up week by week does as well as this one, but has to remember what it
added up, and links that are reported late could never put that right.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from msgspec import structs

from flatline.domain.formatting import count
from flatline.domain.groups.survey import Group, Sums
from flatline.domain.groups.totals import GroupTotal
from flatline.domain.learned.chance import chances
from flatline.domain.learned.curve import MEMORY_DAYS
from flatline.domain.learned.expectation import BLOCK_DAYS, WINDOWS_DAYS
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.time import to_datetime, to_ms
from flatline.schema.group import GroupKind, GroupState, GroupVerdict, Tally

DISPERSION: Final = 1.4
"""Variance against mean of an article's links in a block, on public link histories; the prior of what a group shows."""

DISPERSION_PRIOR_LINKS: Final = 20

_SMALLEST_TOLD: Final = 1e-4
_SEVERITY: Final = {GroupState.UNDER_CURVE: 1}
_NOUNS: Final = {GroupKind.SITE: "The site ", GroupKind.STRATEGY: "The strategy "}


class Stretch(NamedTuple):
    """The last so many days of a group, and how probable so few, or so many, links are if nothing had changed."""

    days: int
    expected: float
    gained: int
    chance_of_so_few: float
    chance_of_so_many: float


def judge_group(
    group: Group,
    total: GroupTotal,
    *,
    previous: GroupVerdict | None,
    now_ms: int,
    thresholds: Thresholds,
    unseen_reason: str | None,
) -> GroupVerdict:
    """Say how a group stands at ``now_ms``. While ``unseen_reason`` says why it can't be seen, it gets no worse."""
    sums = total.sums
    stretches = stretches_of(sums)
    former = previous.state if previous else GroupState.NEW
    fewest = min(stretches, key=lambda stretch: (not _is_short(stretch, former, thresholds), stretch.chance_of_so_few))
    most = min(stretches, key=lambda stretch: stretch.chance_of_so_many)
    state = _state(sums, former, fewest=fewest, most=most, thresholds=thresholds)
    told = {GroupState.ABOVE_CURVE: most, GroupState.UNDER_CURVE: fewest}.get(state) or _last_window(sums)
    unseen_reason = unseen_reason or _unseen_reason(sums, thresholds)
    suppressed = bool(previous and unseen_reason and _SEVERITY.get(state, 0) > _SEVERITY.get(former, 0))
    reason = _reason(group, told, state)
    if suppressed:
        state = former
        reason = f"{reason} The verdict is held back because {unseen_reason}."
    now = to_datetime(now_ms)
    last_7, last_28, last_90 = (
        Tally(round(expected, 1), round(gained)) for expected, gained in zip(sums.expected, sums.gained, strict=True)
    )
    return GroupVerdict(
        kind=group.kind,
        name=group.name,
        state=state,
        since=previous.since if previous and previous.state is state else now,
        judged_at=now,
        reason=reason,
        chance=None if state is GroupState.NEW else float(f"{fewest.chance_of_so_few:.2g}"),
        stretch_days=None if state is GroupState.NEW else fewest.days,
        stretch=None if state is GroupState.NEW else Tally(round(fewest.expected, 1), fewest.gained),
        suppressed=suppressed,
        articles=sums.articles,
        states={state: count for state, count in sorted(total.states.items()) if count},
        last_7=last_7,
        last_28=last_28,
        last_90=last_90,
    )


def stretches_of(sums: Sums) -> Sequence[Stretch]:
    """Return the last 1, 2, ... blocks, each with those after it."""
    dispersion = dispersion_of(sums)
    stretches = []
    expected, gained = 0.0, 0
    for number, (block_expected, block_gained) in enumerate(zip(sums.blocks_expected, sums.blocks_gained, strict=True)):
        expected += block_expected
        gained += round(block_gained)
        days = (number + 1) * BLOCK_DAYS
        # What is expected was learned from links that came by chance, too: from those of MEMORY_DAYS.
        variance = expected * dispersion * (1 + days / MEMORY_DAYS)
        few, many = chances(gained, expected, variance)
        stretches.append(Stretch(days, expected, gained, few, many))
    return stretches


def _last_window(sums: Sums) -> Stretch:
    return Stretch(WINDOWS_DAYS[-1], sums.expected[-1], round(sums.gained[-1]), 1.0, 1.0)


def dispersion_of(sums: Sums) -> float:
    """Return variance against mean of the links of a group's articles in a block, at least that of chance alone."""
    expected = sum(sums.blocks_expected)
    return max(1.0, (sums.squares + DISPERSION_PRIOR_LINKS * DISPERSION) / (expected + DISPERSION_PRIOR_LINKS))


def _state(sums: Sums, former: GroupState, *, fewest: Stretch, most: Stretch, thresholds: Thresholds) -> GroupState:
    if not _is_judgeable(sums, thresholds):
        return GroupState.NEW
    if _is_under(fewest, former, thresholds):
        return GroupState.UNDER_CURVE
    if _is_above(most, former, thresholds):
        return GroupState.ABOVE_CURVE
    return GroupState.ON_CURVE


def _is_judgeable(sums: Sums, thresholds: Thresholds) -> bool:
    """Whether there is a group at all, and enough was expected of it for its absence to mean something."""
    return sums.articles >= thresholds.group_articles_min and sum(sums.blocks_expected) >= thresholds.group_links_min


def _is_under(fewest: Stretch, former: GroupState, thresholds: Thresholds) -> bool:
    """Whether too few links came. What was said is taken back only when they have become quite probable."""
    limit = thresholds.group_relief_chance if former is GroupState.UNDER_CURVE else thresholds.group_chance
    return _is_short(fewest, former, thresholds) and fewest.chance_of_so_few <= limit


def _is_short(stretch: Stretch, former: GroupState, thresholds: Thresholds) -> bool:
    """Whether so much is missing that it matters: of thousands of links a few percent are improbable, and no news."""
    limit = thresholds.group_relief_ratio if former is GroupState.UNDER_CURVE else thresholds.group_ratio
    return stretch.gained <= limit * stretch.expected


def _is_above(most: Stretch, former: GroupState, thresholds: Thresholds) -> bool:
    """Whether too many links came, with the same hysteresis."""
    is_said = former is GroupState.ABOVE_CURVE
    limit = thresholds.group_relief_chance if is_said else thresholds.group_chance
    ratio = thresholds.group_relief_ratio if is_said else thresholds.group_ratio
    return most.chance_of_so_many <= limit and most.expected <= ratio * most.gained


def _unseen_reason(sums: Sums, thresholds: Thresholds) -> str | None:
    expected = sums.unseen_expected + sums.expected[-1]
    share = sums.unseen_expected / expected if expected else 0.0
    if share <= thresholds.group_blind_share:
        return None
    return f"the usual sources of articles that should bring {share:.0%} of its links can't be seen"


def _reason(group: Group, stretch: Stretch, state: GroupState) -> str:
    """Return a sentence with the figures."""
    name = f"{_NOUNS.get(group.kind, '')}{group.name}"
    expected = round(stretch.expected)
    said = (
        f"{name} gained {count(stretch.gained, 'link')} in {stretch.days} days; "
        f"{expected:,} {'was' if expected == 1 else 'were'} expected"
    )
    if state is GroupState.NEW:
        return f"{said}: too little to judge."
    if state is GroupState.UNDER_CURVE:
        return f"{said} (probability of so few if nothing had changed: {_percent(stretch.chance_of_so_few)})."
    if state is GroupState.ABOVE_CURVE:
        return f"{said} (probability of so many if nothing had changed: {_percent(stretch.chance_of_so_many)})."
    return f"{said}."


def _percent(chance: float) -> str:
    return f"{chance * 100:.2g}%" if chance >= _SMALLEST_TOLD else "less than 0.01%"


def is_unchanged(verdict: GroupVerdict, known: GroupVerdict | None) -> bool:
    """Whether two verdicts differ in nothing but when they were said."""
    return known is not None and structs.replace(verdict, judged_at=known.judged_at) == known


def is_newer(verdict: GroupVerdict, known: GroupVerdict | None) -> bool:
    """Whether a verdict was said later than the one that is known."""
    return known is None or to_ms(verdict.judged_at) >= to_ms(known.judged_at)
