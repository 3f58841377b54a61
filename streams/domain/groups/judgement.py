"""The verdict on a group: whether so few links came, over some stretch of weeks up to now, that it is no chance.

Of the stretches of 4 to 26 weeks the least probable one counts; each is expected from the weeks before it, so a slow
decline adds up. A group is judged if a quarter without any link would be as improbable as what alerts: otherwise not
even its end could be told from chance. What was before the watch is no news.

While articles can't be seen, the group is judged without them (`survey.contribution`). Nobody may ever report what
their sources missed meanwhile: so when they can be seen again, the weeks in which too large a part of the group could
not are left out as if they had not been.
"""

from collections.abc import Iterable, Sequence
from math import ceil
from typing import Final

from msgspec import structs

from flatline.domain.formatting import count
from flatline.domain.groups.stretches import QUARTER_WEEKS, GroupPast, Stretch
from flatline.domain.groups.survey import Group
from flatline.domain.groups.totals import GroupTotal
from flatline.domain.groups.weekly_links import JOINED_WEEKS, WEEK_DAYS, WEEKS, last_day_of, watched_weeks
from flatline.domain.learned.expectation import WINDOWS_DAYS
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.schema.group import GroupKind, GroupState, GroupVerdict, Tally

_SMALLEST_TOLD: Final = 1e-4
_SEVERITY: Final = {GroupState.UNDER_CURVE: 1}
_NOUNS: Final = {GroupKind.SITE: "The site ", GroupKind.STRATEGY: "The strategy "}


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
    former_weeks, weeks_now = _unseen_weeks(total, previous, thresholds)
    links = _seen_links(total, former_weeks)
    past = GroupPast(links)
    watched = watched_weeks(sums.weekly) - sum(total.last_week - week < JOINED_WEEKS for week in former_weeks)
    stretches = past.stretches()
    watched_stretches = [stretch for stretch in stretches if stretch.days <= watched * WEEK_DAYS]
    former = previous.state if previous else GroupState.NEW
    is_judgeable = former is GroupState.UNDER_CURVE or _is_judgeable(sums.articles, stretches, thresholds)
    state, fewest, told = GroupState.NEW, None, None
    if watched_stretches and is_judgeable:
        fewest = min(
            watched_stretches, key=lambda each: (not _is_short(each, former, thresholds), each.chance_of_so_few)
        )
        most = min(watched_stretches, key=lambda each: each.chance_of_so_many)
        state = _state(former, fewest=fewest, most=most, thresholds=thresholds)
        if state is GroupState.UNDER_CURVE and state is not former and not _was_under(links, watched, thresholds):
            state = GroupState.ON_CURVE
        told = {GroupState.ABOVE_CURVE: most, GroupState.UNDER_CURVE: fewest}.get(state)
    last_7, last_28, last_90 = _tallies(sums.all_gained, past)
    reason = _reason(group, state, told, last_90, last_week=total.last_week)
    unseen_reason = unseen_reason or _unseen_reason(sums.unseen_share, thresholds)
    is_kept = _SEVERITY.get(state, 0) > _SEVERITY.get(former, 0) or (state is GroupState.NEW and state is not former)
    suppressed = bool(previous and unseen_reason and is_kept)
    if suppressed:
        state = former
        reason = f"{reason} The verdict is held back because {unseen_reason}."
    now = to_datetime(now_ms)
    return GroupVerdict(
        kind=group.kind,
        name=group.name,
        state=state,
        since=previous.since if previous and previous.state is state else now,
        judged_at=now,
        reason=reason,
        chance=float(f"{fewest.chance_of_so_few:.2g}") if fewest else None,
        stretch_days=fewest.days if fewest else None,
        stretch=Tally(round(fewest.expected, 1), fewest.gained) if fewest else None,
        suppressed=suppressed,
        articles=sums.articles,
        states={state: count for state, count in sorted(total.states.items()) if count},
        last_7=last_7,
        last_28=last_28,
        last_90=last_90,
        unseen_weeks=sorted(former_weeks | weeks_now),
    )


def _unseen_weeks(
    total: GroupTotal, previous: GroupVerdict | None, thresholds: Thresholds
) -> tuple[set[int], set[int]]:
    """Return the weeks in which a part of the group could not be seen that can be now, and those of what can't be now.

    Only where the part is so large that its absence alone could make the group fall below its curve.
    """
    known = {week for week in previous.unseen_weeks if total.last_week - week < WEEKS} if previous else set[int]()
    weeks_now = set[int]()
    if total.sums.unseen_share >= 1 - thresholds.group_ratio:
        weeks = min(ceil(total.sums.unseen_days / WEEK_DAYS), WEEKS)
        weeks_now.update(range(total.last_week - weeks + 1, total.last_week + 1))
    return known - weeks_now, weeks_now


def _seen_links(total: GroupTotal, unseen_weeks: Iterable[int]) -> list[float]:
    """Return the links of the weeks that could be seen, the newest last."""
    unseen = {total.last_week - week for week in unseen_weeks}
    gained = total.sums.weekly.gained
    return [gained[ago] for ago in range(len(gained) - 1, -1, -1) if ago not in unseen]


def _tallies(gained: Sequence[float], past: GroupPast) -> list[Tally]:
    """Return the links gained in the windows, and those to be expected by the weeks before."""
    return [
        Tally(round(past.rate_before(ceil(days / WEEK_DAYS)) * days / WEEK_DAYS, 1), round(came))
        for days, came in zip(WINDOWS_DAYS, gained, strict=True)
    ]


def _state(former: GroupState, *, fewest: Stretch, most: Stretch, thresholds: Thresholds) -> GroupState:
    if _is_under(fewest, former, thresholds):
        return GroupState.UNDER_CURVE
    if _is_above(most, former, thresholds):
        return GroupState.ABOVE_CURVE
    return GroupState.ON_CURVE


def _is_judgeable(articles: int, stretches: Iterable[Stretch], thresholds: Thresholds) -> bool:
    """Whether there is a group at all, and a quarter without any link would be no chance.

    By what is expected of any stretch from a quarter on: what has begun to decline months ago is still judged.
    """
    quarter_days = QUARTER_WEEKS * WEEK_DAYS
    return articles >= thresholds.group_articles_min and any(
        stretch.expected * quarter_days / stretch.days >= thresholds.group_links_min
        and stretch.chance_of_none_in_quarter <= thresholds.group_chance
        for stretch in stretches
        if stretch.days >= quarter_days
    )


def _is_under(fewest: Stretch, former: GroupState, thresholds: Thresholds) -> bool:
    """Whether too few links came. What was said is taken back only when they have become quite probable."""
    limit = thresholds.group_relief_chance if former is GroupState.UNDER_CURVE else thresholds.group_chance
    return _is_short(fewest, former, thresholds) and fewest.chance_of_so_few <= limit


def _was_under(links: Sequence[float], watched: int, thresholds: Thresholds) -> bool:
    """Whether too few links came by the end of the week before, too: what one week alone brought is mostly chance."""
    return any(
        _is_under(stretch, GroupState.ON_CURVE, thresholds)
        for stretch in GroupPast(links[:-1]).stretches()
        if stretch.days < watched * WEEK_DAYS
    )


def _is_short(stretch: Stretch, former: GroupState, thresholds: Thresholds) -> bool:
    """Whether so much is missing that it matters: of thousands of links a few percent are improbable, and no news."""
    limit = thresholds.group_relief_ratio if former is GroupState.UNDER_CURVE else thresholds.group_ratio
    return stretch.gained <= limit * stretch.expected and stretch.without_bursts <= limit


def _is_above(most: Stretch, former: GroupState, thresholds: Thresholds) -> bool:
    """Whether too many links came, with the same hysteresis."""
    is_said = former is GroupState.ABOVE_CURVE
    limit = thresholds.group_relief_chance if is_said else thresholds.group_chance
    ratio = thresholds.group_relief_ratio if is_said else thresholds.group_ratio
    return most.chance_of_so_many <= limit and most.expected_at_most <= ratio * most.gained


def _unseen_reason(share: float, thresholds: Thresholds) -> str | None:
    if share <= thresholds.group_blind_share:
        return None
    return f"the usual sources of articles that brought {share:.0%} of its links can't be seen"


def _reason(group: Group, state: GroupState, stretch: Stretch | None, last_90: Tally, *, last_week: int) -> str:
    """Return a sentence with the figures."""
    name = f"{_NOUNS.get(group.kind, '')}{group.name}"
    if stretch is None:
        gained = f"{name} gained {count(last_90.gained, 'link')} in {WINDOWS_DAYS[-1]} days"
        return f"{gained}: too little to judge." if state is GroupState.NEW else f"{gained}; {_were(last_90.expected)}."
    end = f"{to_datetime(last_day_of(last_week) * DAY_MS):%Y-%m-%d}"
    weeks = count(stretch.days // WEEK_DAYS, "week")
    said = f"{name} gained {count(stretch.gained, 'link')} in the {weeks} up to {end}"
    if state is GroupState.UNDER_CURVE:
        few = _percent(stretch.chance_of_so_few)
        return f"{said}; {_were(stretch.expected)} (probability of so few if nothing had changed: {few})."
    many = _percent(stretch.chance_of_so_many)
    return f"{said}; {_were(stretch.expected_at_most)} (probability of so many if nothing had changed: {many})."


def _were(expected: float) -> str:
    return f"{round(expected):,} {'was' if round(expected) == 1 else 'were'} expected"


def _percent(chance: float) -> str:
    return f"{chance * 100:.2g}%" if chance >= _SMALLEST_TOLD else "less than 0.01%"


def is_unchanged(verdict: GroupVerdict, known: GroupVerdict | None) -> bool:
    """Whether two verdicts differ in nothing but when they were said."""
    return known is not None and structs.replace(verdict, judged_at=known.judged_at) == known


def is_newer(verdict: GroupVerdict, known: GroupVerdict | None) -> bool:
    """Whether a verdict was said later than the one that is known."""
    return known is None or to_ms(verdict.judged_at) >= to_ms(known.judged_at)
