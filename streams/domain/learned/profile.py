"""How an article lives: does it gather links steadily for years, or spike and fade? Facts of its history alone."""

from collections.abc import Mapping
from itertools import pairwise
from math import sqrt
from typing import Final

from flatline.domain.formatting import count, percent
from flatline.schema.verdict import Life, Pace, Profile

GAPS_MIN: Final = 5
BURSTY_FROM: Final = 0.3
REGULAR_TO: Final = -0.3

LINKS_MIN: Final = 5
YEAR_DAYS: Final = 365
QUARTER_DAYS: Final = 90
SPIKE_SHARE: Final = 0.66
EVERGREEN_YEARS: Final = 2
EVERGREEN_SHARE: Final = 0.4
FADED_SHARE: Final = 0.1
"""Of its links in its second half; an article with fewer has faded, and fades no more."""


def profile_of(days: Mapping[int, int], *, published_day: int | None, today: int) -> Profile | None:
    """Return the profile of an article with these links by UTC day, in order of days; None without any."""
    if not days:
        return None
    first = next(iter(days))
    begin = first if published_day is None or published_day > first else published_day
    age_days = today - begin + 1
    burstiness = _burstiness([later - earlier for earlier, later in pairwise(days)])
    links = sum(days.values())
    early = _share(days, links, until=begin + QUARTER_DAYS) if age_days > QUARTER_DAYS else None
    year = _share(days, links, until=begin + YEAR_DAYS) if age_days > YEAR_DAYS else None
    late = 1 - _share(days, links, until=begin + age_days // 2)
    life = _life(links, age_days=age_days, early=early, late=late)
    pace = _pace(burstiness)
    return Profile(
        burstiness=None if burstiness is None else round(burstiness, 2),
        share_in_90_days=None if early is None else round(early, 2),
        share_in_365_days=None if year is None else round(year, 2),
        pace=pace,
        life=life,
        reason=_reason(life, pace, early=early, late=late, age_days=age_days),
    )


def _burstiness(gaps: list[int]) -> float | None:
    """Return the burstiness of the gaps, from -1 (regular) over 0 (random) to 1, for finite numbers of them.

    Kim and Jo 2016, arXiv 1604.01125, equation 22.
    """
    if len(gaps) < GAPS_MIN:
        return None
    number = len(gaps)
    mean = sum(gaps) / number
    ratio = sqrt(sum((gap - mean) ** 2 for gap in gaps) / number) / mean
    above, below = sqrt(number + 1), sqrt(number - 1)
    return (above * ratio - below) / ((above - 2) * ratio + below)


def _share(days: Mapping[int, int], links: int, *, until: int) -> float:
    gained = 0
    for day, number in days.items():
        if day >= until:
            break
        gained += number
    return gained / links


def _pace(burstiness: float | None) -> Pace | None:
    if burstiness is None:
        return None
    if burstiness >= BURSTY_FROM:
        return Pace.BURSTY
    return Pace.STEADY if burstiness <= REGULAR_TO else Pace.RANDOM


def _life(links: int, *, age_days: int, early: float | None, late: float) -> Life | None:
    if links < LINKS_MIN or early is None or age_days <= YEAR_DAYS:
        return None
    if early >= SPIKE_SHARE:
        return Life.SPIKE_AND_FADE
    if age_days >= EVERGREEN_YEARS * YEAR_DAYS and late >= EVERGREEN_SHARE:
        return Life.EVERGREEN
    return Life.FADING


def _reason(life: Life | None, pace: Pace | None, *, early: float | None, late: float, age_days: int) -> str:
    """Return a sentence with the figures."""
    if life is Life.SPIKE_AND_FADE:
        said = f"Spiked and faded: {_of_its_links(early or 0.0)} came in its first {QUARTER_DAYS} days"
    elif life is Life.EVERGREEN:
        said = f"Evergreen: {_of_its_links(late)} came in the second half of its {_age(age_days)}"
    elif life is Life.FADING and late < FADED_SHARE:
        said = f"Faded: {_of_its_links(1 - late)} came in the first half of its {_age(age_days)}"
    elif life is Life.FADING:
        said = f"Fading slowly: {_of_its_links(late)} came in the second half of its {_age(age_days)}"
    else:
        return f"It is too young, or has too few links, to show a pattern{_UNKNOWN_PACES[pace]}."
    return f"{said}{_PACES[pace]}."


def _of_its_links(share: float) -> str:
    return "all its links" if share == 1 else f"{percent(share)} of its links"


def _age(age_days: int) -> str:
    years = age_days / YEAR_DAYS
    return count(round(years), "year") if years >= EVERGREEN_YEARS else count(round(12 * years), "month")


_PACES: Final = {
    None: "",
    Pace.STEADY: ", at regular intervals",
    Pace.RANDOM: ", at irregular intervals",
    Pace.BURSTY: ", in bursts with long gaps between them",
}
_UNKNOWN_PACES: Final = {
    None: "",
    Pace.STEADY: "; its links come at regular intervals",
    Pace.RANDOM: "; its links come at irregular intervals",
    Pace.BURSTY: "; its links come in bursts with long gaps between them",
}
