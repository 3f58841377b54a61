"""The rule of the finding `quality_gone`: the article still gains links, but none that matters.

The hazard of silence is asked about the days of the links that matter alone.
"""

from collections import Counter
from typing import Final

from flatline.domain.formatting import count
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.quality.link_value import LinkValue
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import DAY_MS, to_datetime

LATELY_DAYS: Final = 90
REASONS_MAX: Final = 3
RUN_CHANCE_MAX: Final = 0.01


def reason(
    link_value: LinkValue,
    all_links: Rhythm,
    *,
    today: int,
    watched_since_day: int,
    thresholds: Thresholds,
    hazard: Hazard,
    was_found: bool,
) -> str | None:
    """Return why it is said that no link matters any more; None where it is not.

    What was said stays said until a link that matters comes, or none at all do.
    """
    last_day = link_value.last_day
    if last_day is None or len(link_value.days) < thresholds.link_days_min:
        return None  # too little history
    thin, against = thin_lately(link_value, today=today, after_day=last_day)
    if thin < (1 if was_found else thresholds.thin_links_min):
        return None
    if hazard.score(all_links, max(today, all_links.last_day)) >= thresholds.silent_score:
        return None  # the state says so already
    matter, day = Rhythm.of(link_value.days), max(today, last_day)
    # A run of thin links that is hardly chance says that links are seen, and needs less of a gap.
    needed = thresholds.quality_gone_score
    if was_found or probability_of_run(link_value, after_day=last_day) <= RUN_CHANCE_MAX:
        needed = thresholds.thin_run_score
    if matter is None or hazard.score(matter, day) < needed:
        return None
    if not was_found and hazard.first_day_at(matter, needed, until_day=day) <= watched_since_day:
        return None  # it was so before we watched: no news
    last = f"{to_datetime(last_day * DAY_MS):%Y-%m-%d}"
    gained = f"It gained {count(thin, 'link')} in the last {LATELY_DAYS} days"
    return f"{gained}, but none of high quality since {last}: {against}."


def thin_lately(link_value: LinkValue, *, today: int, after_day: int) -> tuple[int, str]:
    """Return how many thin links were gained in the last LATELY_DAYS and after a day, and what speaks against them."""
    signs = Counter[str]()
    for (day, phrase), number in link_value.thin_days.items():
        if max(today - LATELY_DAYS, after_day) < day <= today:
            signs[phrase] += number
    phrases = [f"{number:,} {phrase}" for phrase, number in sorted(signs.items(), key=lambda sign: (-sign[1], sign[0]))]
    return signs.total(), ", ".join(phrases[:REASONS_MAX]) + (" and others" if len(phrases) > REASONS_MAX else "")


def probability_of_run(link_value: LinkValue, *, after_day: int) -> float:
    """Return how probable it is that all links after a day are thin, if as many mattered as up to it."""
    thin_before = sum(number for (day, _), number in link_value.thin_days.items() if day <= after_day)
    matter = sum(link_value.days.values())
    run = sum(link_value.thin_days.values()) - thin_before
    return (1 - matter / (matter + thin_before)) ** run
