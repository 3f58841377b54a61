"""The shape of an explanation, as it is shown and printed as JSON."""

from datetime import date, datetime
from typing import Annotated

from msgspec import Meta, Struct

from flatline.domain.policy.thresholds import Thresholds
from flatline.schema import verdict as verdicts
from flatline.schema.group import GroupKind, GroupVerdict
from flatline.schema.verdict import Verdict


class ExplainedInfluence(Struct, frozen=True):
    """A fact, and how it moves the probability against a typical article's."""

    fact: str
    logit: Annotated[float, Meta(description="By how much, in the logit; above 0 it speaks for silence")]
    speaks: str


class LinkDayStatistics(Struct, frozen=True):
    """The link days, in days; means are of the last ten gaps."""

    link_days: int
    first_link_on: date
    last_link_on: date
    days_since_last_link: int
    usual_gap_days: Annotated[float, Meta(description="Geometric mean")]
    mean_gap_days: float
    longest_gap_days: Annotated[int, Meta(description="Of all")]


class CurvePoint(Struct, frozen=True):
    """Links at the end of a day."""

    date: date
    gained: int
    expected: float


class ExplainedLink(Struct, frozen=True):
    """A link, its quality, and why. What only its event says is null where that is not kept any more."""

    gained_on: date
    quality: float
    is_thin: Annotated[bool, Meta(description="Its quality is too low to matter")]
    is_live: bool
    is_sign_of_life: Annotated[bool, Meta(description="False for imports and first meetings: they count, no more")]
    is_recognised_import: Annotated[bool, Meta(description="Its import was recognised without a label")]
    why: list[str]
    url: str | None = None
    anchor: str | None = None
    source: str | None = None
    lost_reason: Annotated[str | None, Meta(description="Of a link that is lost: the reason reported last")] = None
    new_looks: Annotated[
        list[str], Meta(description="When it turned nofollow, had its anchor rewritten or moved; the newest first")
    ] = []


class ExplainedImport(Struct, frozen=True):
    """An import that was recognised, as its source reported so many links at one instant."""

    source: str
    occurred_at: datetime
    links: Annotated[int, Meta(description="Those of the article")]


class ExplainedSource(Struct, frozen=True):
    """A source that reported links of the article, and how far it has seen."""

    source: str
    last_reported_in_week_of: date
    weeks_with_links: Annotated[int, Meta(description="Of the 48 up to that week, those with links it reported")]
    is_expected: Annotated[bool, Meta(description="More is expected of it: its silence would tell something")]
    stale_for_days: Annotated[float | None, Meta(description="null where its freshness is not known")] = None
    stale_after_days: float | None = None
    is_stale: bool = False
    seen_until: Annotated[date | None, Meta(description="Where it has not seen everything until now")] = None
    because: str | None = None


class ExplainedGroup(Struct, frozen=True):
    """A group that the article belongs to, and the newest verdict on it where there is one."""

    kind: GroupKind
    name: str
    verdict: GroupVerdict | None = None


class Change(Struct, frozen=True):
    """What was said on a day, as it changed."""

    date: date
    said: list[str]


class Explanation(Struct, frozen=True):
    """The object of `flatline explain --json`."""

    verdict: Annotated[Verdict, Meta(description="By all that is known now")]
    said: Annotated[Verdict | None, Meta(description="The newest that was published; null without a worker")]
    probability: Annotated[float | None, Meta(description="That no link comes in the horizon; null if not judged")]
    score: Annotated[float | None, Meta(description="The silence score, to which the thresholds apply")]
    typical_probability: Annotated[float, Meta(description="That of a typical article on the day of a link")]
    pace: LinkDayStatistics | None
    moved_by: Annotated[list[ExplainedInfluence], Meta(description="What moves the probability, most first")]
    cooling_from: Annotated[date | None, Meta(description="From when on it is called cooling, if no link comes")]
    silent_from: Annotated[date | None, Meta(description="From when on it is called silent, if no link comes")]
    pauses_until: Annotated[date | None, Meta(description="When links come again, if it pauses here every year")]
    unseen_days: Annotated[float, Meta(description="Days of its silence that do not count, as nobody could see")]
    unseen_because: str | None
    expectation: Annotated[verdicts.Expectation | None, Meta(description="Also where the verdict leaves it out")]
    evergreen: Annotated[float | None, Meta(description="How probable a constant rate is, against the curve")]
    curve_links: Annotated[int, Meta(description="Links that the expected curve was learned from; 0: the quoted one")]
    curve: list[CurvePoint]
    links: list[ExplainedLink]
    recognised_imports: Annotated[list[ExplainedImport], Meta(description="Of its links, the newest first")]
    sources: list[ExplainedSource]
    groups: list[ExplainedGroup]
    policy: Thresholds
    changes: list[Change]
