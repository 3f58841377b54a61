"""What a judgement rests on."""

from typing import NamedTuple

from msgspec import Struct

from streams.domain.expected.expectation import Expectation
from streams.domain.hazard import Hazard
from streams.domain.losses import Losses
from streams.domain.policy import Policy
from streams.domain.quality.worth import Worth
from streams.domain.rhythm import Rhythm
from streams.domain.sight.sight import CLEAR, View
from streams.schema.verdict import FindingKind, State


class Evidence(NamedTuple):
    """All that a judgement of one article rests on.

    ``watched_since_ms``        when its first event reached us: a silence that began before is no news
    ``view``                    what its usual sources could see of the days since its last link day
    ``gained_last_7_days``      links, imports and first meetings left out, as for link days; today included
    ``gained_last_365_days``    the same
    ``links_a_link_day``        how many come together on a day on which any come, on average
    ``losses``                  what it lost lately
    ``worth``                   its links by whether they matter; None where that was not weighed
    ``expectation``             what it should have gained lately; None without links, or where that was not asked
    """

    rhythm: Rhythm | None
    watched_since_ms: int
    view: View = CLEAR
    gained_last_7_days: int = 0
    gained_last_365_days: int = 0
    links_a_link_day: float = 1.0
    losses: Losses | None = None
    worth: Worth | None = None
    expectation: Expectation | None = None


class Standing(Struct, frozen=True, array_like=True, gc=False):
    """The last verdict, as far as the next one needs it. ``digest`` tells whether a verdict says anything new."""

    state: State
    since_ms: int
    digest: int
    found: dict[FindingKind, int] = {}  # kind -> since when, in ms
    link_days: int = 0  # how many were known


class Circumstances(NamedTuple):
    """What a rule goes by beside the evidence.

    ``was_found``    for a finding: it was already said, and may be harder to take back
    ``seen_day``     the day to which the article is judged: today, less the days that nobody could see
    ``probability``  of no link within the horizon after that day; None with too little history to judge
    """

    today: int
    policy: Policy
    hazard: Hazard
    was_found: bool = False
    previous: Standing | None = None
    seen_day: int = 0
    probability: float | None = None
