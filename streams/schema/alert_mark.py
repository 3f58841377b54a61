"""The mark: what a person says of an alert. Compacted by the alert's id; the last record of an alert holds."""

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import Name
from flatline.schema.link_event import Instant

NOTE_CHARACTERS_MAX = 1_000


class AlertKind(StrEnum):
    """What an alert says of an article, or of a group (`under_curve`)."""

    SILENT = "silent"
    COOLING = "cooling"
    QUALITY_GONE = "quality_gone"
    MASS_LOSS = "mass_loss"
    UNDER_CURVE = "under_curve"


class Mark(StrEnum):
    """What a person says of an alert."""

    RIGHT = "right"
    EXPECTED = "expected"  # it is so, and it is no news
    WRONG = "wrong"
    WITHDRAWN = "withdrawn"  # the mark before was a mistake


class ExpectedBecause(StrEnum):
    """Why an alert was to be expected."""

    SEASONAL = "seasonal"
    RETIRED = "retired"  # nobody cares for the article any more, so it is not judged from now on
    MOVED = "moved"


class AlertMark(Struct, frozen=True, omit_defaults=True, gc=False):
    """What a person says of one alert: of one change of a verdict."""

    subject: Annotated[
        str, Meta(min_length=1, max_length=4_096, description="The article key; for a group `kind/name`")
    ]
    kind: AlertKind
    since: Annotated[Instant, Meta(description="Since when the state or finding holds, as the verdict says")]
    mark: Mark
    marked_at: Annotated[Instant, Meta(description="Not after the record's own time, to which it is clamped")]
    version: Literal[1] = 1
    because: Annotated[ExpectedBecause | None, Meta(description="With `expected`: why")] = None
    by: Annotated[Name | None, Meta(description="Who says so")] = None
    note: Annotated[str, Meta(max_length=NOTE_CHARACTERS_MAX)] | None = None
