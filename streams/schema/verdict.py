"""The verdict on an article, and the counts it rests on. Compacted by article key."""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from streams.schema.link_event import Instant


class State(StrEnum):
    """What an operator needs to know of an article, in one word."""

    NEW = "new"  # too little history to judge
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
    reason: Annotated[str, Meta(description="A sentence with the figures")]


class GainedInDays(Struct, frozen=True, gc=False, rename=lambda name: name.removeprefix("last_")):
    """Links gained in the last so many UTC days, today included; imports and first meetings left out."""

    last_1: int
    last_7: int
    last_28: int
    last_90: int
    last_365: int


class Verdict(Struct, frozen=True, gc=False):
    """What is said of one article at ``judged_at``. All counts are over the links known by then."""

    article: Annotated[str, Meta(description="The article key: the canonical target URL")]
    state: State
    since: Annotated[Instant, Meta(description="Since when this state holds")]
    judged_at: Instant
    reason: Annotated[str, Meta(description="A sentence with the figures")]
    score: Annotated[
        float | None, Meta(description="Probability that no link comes within horizon_days; null if not judged")
    ]
    horizon_days: int
    suppressed: Annotated[bool, Meta(description="Worse was not said, because it could not be seen")]
    gained_total: Annotated[int, Meta(description="Distinct links ever gained")]
    lost_total: Annotated[int, Meta(description="Of those, the ones that were lost at least once")]
    live: Annotated[int, Meta(description="Of those, the ones whose latest change is not a loss")]
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
    findings: Annotated[list[Finding], Meta(description="What there is to say beside the state")] = []
    version: Literal[1] = 1
