"""The verdict on an article, and the counts it rests on. Compacted by article key."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.link_event import Instant


class State(StrEnum):
    """What an operator needs to know of an article, in one word."""

    NEW = "new"  # too little history to judge
    BURSTING = "bursting"  # gained far more links this week than in any usual one
    GROWING = "growing"  # gains links faster than it used to
    STEADY = "steady"  # gains links as it used to
    COOLING = "cooling"  # a gap long enough to doubt
    SILENT = "silent"  # a gap so improbable that we say it has stopped
    DORMANT = "dormant"  # silent for so long, or since before we watched, that it is no news
    REVIVED = "revived"  # links again after silence


class FindingKind(StrEnum):
    """What can be said of an article beside its state."""

    QUALITY_GONE = "quality_gone"  # it still gains links, but none that matter
    MASS_LOSS = "mass_loss"  # many of its links were lost in a short time


class Finding(Struct, frozen=True, gc=False):
    """Something beside the state that the team should know."""

    kind: FindingKind
    since: Annotated[Instant, Meta(description="Since when it holds")]
    reason: Annotated[str, Meta(description="A sentence that gives the figures")]
    lost_reasons: Annotated[
        dict[str, int],
        Meta(description="Of a mass loss: how many of the lost links have which lost_reason, the commonest first"),
    ] = {}


class GainedInDays(Struct, frozen=True, gc=False, rename=lambda name: name.removeprefix("last_")):
    """Links gained in the last so many UTC days, today included; imports and first meetings left out."""

    last_1: int
    last_7: int
    last_28: int
    last_90: int
    last_365: int


class VisitsInDays(Struct, frozen=True, gc=False, rename=lambda name: name.removeprefix("last_")):
    """Visits in the last so many UTC days, today included."""

    last_28: int
    last_90: int


class SendingDomain(Struct, frozen=True, gc=False):
    """A domain that sends visits; who it is, is not kept."""

    links: Annotated[int, Meta(description="Links from it ever gained; 0 if it sends visits but no link is known")]
    visits_total: int


class Impact(Struct, frozen=True, gc=False):
    """What the links to an article bring in visits. Visits are known by referring domain, not by page."""

    links_with_visits: Annotated[int, Meta(description="Links ever gained from domains that sent visitors")]
    links_without_visits: Annotated[int, Meta(description="Links ever gained from domains that never sent visitors")]
    trophies: Annotated[int, Meta(description="Live links whose domain sent nobody in at least four weeks of counting")]
    sending_domains: int
    visits_total: int
    visits_in_days: VisitsInDays
    visits_without_link: Annotated[int, Meta(description="Of visits_total, those from domains without a known link")]
    tracked_since: Annotated[date, Meta(description="First UTC day with a visits record")]
    tracked_until: Annotated[date, Meta(description="Last UTC day with a visits record")]
    top_domains: Annotated[list[SendingDomain], Meta(description="The domains that sent most visits, at most five")]
    is_partial: Annotated[bool, Meta(description="Too many domains to list them all: the counts are minimums")] = False


class Worth(Struct, frozen=True, gc=False):
    """What the links are worth: their quality, 0 to 1 each, by the rules of `domain/quality/QUALITY.md`."""

    weighted_total: Annotated[
        float, Meta(description="Sum of each referring domain's best quality; further links add almost nothing")
    ] = 0.0
    thin: Annotated[int, Meta(description="Low-quality links; they are included in gained_total")] = 0
    worthy_in_28_days: Annotated[int, Meta(description="High-quality links gained in the last 28 days")] = 0
    worthy_in_90_days: Annotated[int, Meta(description="High-quality links gained in the last 90 days")] = 0
    last_worthy_on: Annotated[date | None, Meta(description="The newest day with a high-quality link")] = None


class Expected(Struct, frozen=True, gc=False):
    """What should have come in so many days, what came, and how probable so few and so many are by chance alone."""

    expected: float
    gained: int
    chance_of_so_few: float
    chance_of_so_many: float


class Expectation(Struct, frozen=True, gc=False, rename=lambda name: name.removeprefix("last_")):
    """Links in the last so many times 24 hours against those expected from the article's past and its kind's curve."""

    last_7: Expected
    last_28: Expected
    last_90: Expected


class Pace(StrEnum):
    """How link days follow on each other."""

    STEADY = "steady"  # at more regular intervals than chance makes
    RANDOM = "random"
    BURSTY = "bursty"  # close together, with long gaps in between


class Life(StrEnum):
    """How links spread over an article's life."""

    EVERGREEN = "evergreen"  # nearly as many in the second half of its years as in the first
    FADING = "fading"
    SPIKE_AND_FADE = "spike_and_fade"  # most of them in its first 90 days


class Profile(Struct, frozen=True, gc=False):
    """How an article lives, by its history alone. null: too little history to say."""

    burstiness: Annotated[float | None, Meta(description="-1 regular, 0 random, 1 bursty; finite size, Kim and Jo")]
    share_in_90_days: Annotated[float | None, Meta(description="Of all links so far, those in its first 90 days")]
    share_in_365_days: float | None
    pace: Pace | None
    life: Life | None
    reason: Annotated[str, Meta(description="A sentence that gives the figures")]


class Verdict(Struct, frozen=True, gc=False):
    """What is said of one article at ``judged_at``. All counts are over the links known by then."""

    article: Annotated[str, Meta(description="The article key: the canonical target URL")]
    state: State
    since: Annotated[Instant, Meta(description="Since when this state holds")]
    judged_at: Instant
    reason: Annotated[str, Meta(description="A sentence that gives the figures")]
    score: Annotated[
        float | None,
        Meta(description="The silence score, to which the policy's thresholds apply; null if not judged"),
    ]
    horizon_days: int
    suppressed: Annotated[bool, Meta(description="The verdict is held back, because sources did not report")]
    gained_total: Annotated[int, Meta(description="Distinct links ever gained")]
    lost_total: Annotated[int, Meta(description="Links of gained_total that were lost at least once")]
    live: Annotated[int, Meta(description="Links of gained_total whose newest change is not a loss")]
    referring_domains: Annotated[int, Meta(description="Distinct registrable domains of the links ever gained")]
    gained_in_days: GainedInDays
    first_gained_at: Instant | None
    last_gained_at: Annotated[Instant | None, Meta(description="Event time of the newest first gain of a link")]
    nofollow: int
    ugc: int
    sponsored: int
    title: str | None = None
    author: str | None = None
    series: str | None = None
    strategy: str | None = None
    tier: int | None = None
    findings: Annotated[list[Finding], Meta(description="Findings beside the state")] = []
    impact: Annotated[Impact | None, Meta(description="null if visits are not counted")] = None
    worth: Annotated[Worth | None, Meta(description="null if link quality was not computed")] = None
    expectation: Annotated[
        Expectation | None, Meta(description="null for articles without links and dormant articles")
    ] = None
    profile: Annotated[Profile | None, Meta(description="null for articles without links")] = None
    watched_since: Annotated[
        Instant | None, Meta(description="When its first event arrived; a silence that began before causes no alert")
    ] = None
    probability: Annotated[
        float | None,
        Meta(
            description="Probability that no link comes in the next horizon_days, given that none came since the last; "
            "null if not judged"
        ),
    ] = None
    is_floor: Annotated[
        bool, Meta(description="A source reports only a part of the links: all counts of links are minimums")
    ] = False
    as_of_offset: Annotated[
        int | None,
        Meta(description="The verdict includes all records of links before this offset of its partition"),
    ] = None
    link_days: Annotated[
        int | None, Meta(description="UTC days on which it gained links; imports and first meetings left out")
    ] = None
    quiet_since: Annotated[
        Instant | None, Meta(description="Since when it was silent, if only one link has come after that")
    ] = None
    version: Literal[1] = 1
