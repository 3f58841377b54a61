"""Groups of articles: what workers survey of them partition by partition, and the verdict on each as a whole."""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.link_event import Instant
from flatline.schema.verdict import State


class GroupKind(StrEnum):
    """What articles have in common."""

    SITE = "site"  # the registrable domain of their address
    STRATEGY = "strategy"
    SERIES = "series"
    AUTHOR = "author"
    MONTH = "month"  # of publication, else of the first link: a cohort, which gets no verdict

    __hash__ = str.__hash__


class GroupState(StrEnum):
    """How a group stands, in one word."""

    NEW = "new"  # too few links are expected of it to judge
    ON_CURVE = "on_curve"  # it gains what its articles should gain
    UNDER_CURVE = "under_curve"  # so few links that it is no chance
    ABOVE_CURVE = "above_curve"  # so many links that it is no chance


COUNT_MAX = 10**12
"""Beyond all that there is to count, and little enough for sums over all partitions to stay exact."""

Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
GroupName = Annotated[str, Meta(max_length=253)]
StateCounts = Annotated[dict[State, Count], Meta(description="Articles by state")]


class GroupPart(Struct, frozen=True, gc=False):
    """The articles of a group that lie on one partition, added up over one round of the survey."""

    kind: GroupKind
    name: GroupName
    partition: Count
    round_ended_at: Instant
    states: StateCounts
    sums: Annotated[
        list[Annotated[float, Meta(ge=0, le=COUNT_MAX)]],
        Meta(
            max_length=1_000,
            description="In the order of flatline.domain.groups.survey.Sums. Later versions may have more of them at "
            "the end: a reader leaves out those that it doesn't know, and takes 0 for those that are missing. Without "
            "last_week, they are of a version with another order, and do not count",
        ),
    ]
    last_week: Annotated[
        Count, Meta(description="The newest week in the sums; weeks begin on Monday and are counted from 1970-01-01")
    ] = 0
    version: Literal[1] = 1


class SurveyRound(Struct, frozen=True, gc=False):
    """The last record of a round: the parts of its partition with the same ``round_ended_at`` are whole."""

    partition: Count
    round_ended_at: Instant
    groups: Count
    left_out: Annotated[Count, Meta(description="Groups for which there was no room")] = 0
    version: Literal[1] = 1


class Tally(Struct, frozen=True, gc=False):
    """Links that a group should have gained in the last so many days, and that it gained."""

    expected: Annotated[float, Meta(ge=0, le=COUNT_MAX)]
    gained: Count


class GroupVerdict(Struct, frozen=True, gc=False):
    """What is said of a group at ``judged_at``. Compacted by kind and name."""

    kind: GroupKind
    name: GroupName
    state: GroupState
    since: Annotated[Instant, Meta(description="Since when this state holds")]
    judged_at: Instant
    reason: Annotated[str, Meta(description="A sentence with the figures")]
    chance: Annotated[
        float | None, Meta(description="Probability of links as few as in the stretch that is least probable")
    ]
    stretch_days: Annotated[Count | None, Meta(description="The length of that stretch, which ends now")]
    stretch: Annotated[Tally | None, Meta(description="What should have come in it, and what came")]
    suppressed: Annotated[bool, Meta(description="Worse was not said, because it could not be seen")]
    articles: Count
    states: StateCounts
    last_7: Tally
    last_28: Tally
    last_90: Tally
    unseen_weeks: Annotated[
        list[Count],
        Meta(description="Weeks in which its sources could not be seen, which are left out, counted as `last_week` is"),
    ] = []
    version: Literal[1] = 1
