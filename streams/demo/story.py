"""The script of the simulated story, in days from its beginning, and the link days of all articles around it.

The lengths follow from the hazard (streams/domain/learned/hazard.py): after histories like these, it takes some 210
days without a link until it is probable that none will come. tests/demo/test_simulation.py plays it through the
domain's code.
"""

from random import Random
from typing import Final

from flatline.demo import rhythms
from flatline.demo.titles import FIELD_NOTES, POST_MORTEMS, Q_AND_A, Series, title_of

DAYS: Final = 365
# Life goes on behind the end of the story.
UNTIL: Final = 900

DEAD_CRAWLER: Final = "crawler-west"
OUTAGE: Final = range(40, 320)

SERIES_THAT_STOPS: Final = FIELD_NOTES
# article -> its last link day
STOPPED: Final = {
    (SERIES_THAT_STOPS, "retry storms"): 78,
    (SERIES_THAT_STOPS, "time zones"): 83,
    (SERIES_THAT_STOPS, "read replicas"): 87,
}
REVIVED: Final = (Q_AND_A, "load tests")
PAUSING: Final = (POST_MORTEMS, "release trains")

_REVIVAL: Final = (110, 112, 115, 119, 124, 131)
_PAUSE: Final = range(25, 240)

_ALL_STOPPED: Final = max(STOPPED.values()) + 1

# What there is to be told on which day.
ACTS: Final = {
    _ALL_STOPPED: f"{len(STOPPED)} articles of {SERIES_THAT_STOPS.name} have gained their last links.",
    _PAUSE.start: f"“{title_of(*PAUSING)}” begins its seasonal pause, as every year.",
    OUTAGE.start: f"{DEAD_CRAWLER} goes down. Its articles keep gaining links that no source reports.",
    _REVIVAL[0]: f"“{title_of(*REVIVED)}” gains links again, after years.",
    _PAUSE.stop: f"“{title_of(*PAUSING)}” gains links again. It was only a pause, and no alert was sent.",
    OUTAGE.stop: f"{DEAD_CRAWLER} is back, and delivers what it missed.",
}


def link_days(chance: Random, series: Series, subject: str) -> list[int]:
    """Return the days on which an article gains links, from the first one."""
    article = (series, subject)
    if article in STOPPED:
        last = STOPPED[article]
        days = rhythms.steady(chance, range(last - 150, last - 8), mean_gap=14)
        return [*days, last]
    if article == REVIVED:
        long_ago = rhythms.fading(chance, range(-1_300, -900), mean_gap=10, doubled_after=120)
        return [*long_ago, *_REVIVAL, *rhythms.steady(chance, range(150, UNTIL), mean_gap=14)]
    if article == PAUSING:
        days = rhythms.seasonal(chance, range(-500, UNTIL), mean_gap=12, pause=_PAUSE)
        return sorted({*days, _PAUSE.stop})
    return _ordinary_life(chance)


def _ordinary_life(chance: Random) -> list[int]:
    """Return the link days of an article outside the story: they ended long before it, or go on after it."""
    kind = chance.choices(("steady", "bursts", "growing", "seasonal", "over", "new"), (38, 18, 8, 6, 22, 8))[0]
    first = -chance.randrange(100, 1_400)
    match kind:
        case "steady":
            return rhythms.steady(chance, range(first, UNTIL), mean_gap=chance.uniform(8, 22))
        case "bursts":
            return rhythms.bursts(chance, range(first, UNTIL), mean_gap=chance.uniform(20, 30))
        case "growing":
            days = range(-chance.randrange(150, 350), UNTIL)
            return rhythms.growing(chance, days, mean_gap=20, halved_after=250)
        case "seasonal":
            begin = chance.randrange(365)
            pause = range(begin, begin + chance.randrange(70, 110))
            return rhythms.seasonal(chance, range(first - 300, UNTIL), mean_gap=8, pause=pause)
        case "over":
            first = -chance.randrange(1_100, 1_800)
            return rhythms.fading(chance, range(first, first + 300), mean_gap=6, doubled_after=60)
        case _:
            return rhythms.steady(chance, range(-chance.randrange(1, 60), 40), mean_gap=25)[:4]
