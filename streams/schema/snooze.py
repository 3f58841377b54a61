"""The snooze: alerts that are not to be told for a while. Compacted by its id; the last record of an id holds."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import Name
from flatline.schema.link_event import Instant

LABELS_MAX = 16
WHY_CHARACTERS_MAX = 1_000

LabelName = Annotated[str, Meta(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]{0,99}(?!\n)$")]
LabelValue = Annotated[str, Meta(min_length=1, max_length=4_096)]
Labels = Annotated[
    dict[LabelName, LabelValue],
    Meta(min_length=1, max_length=LABELS_MAX, description="Labels that an alert has to have, such as alertname"),
]


class Snooze(Struct, frozen=True, omit_defaults=True, gc=False):
    """Alerts with these labels are silenced in Alertmanager until an instant."""

    labels: Labels
    until: Instant
    why: Annotated[str, Meta(min_length=1, max_length=WHY_CHARACTERS_MAX)]
    by: Annotated[Name, Meta(description="Who says so")]
    snoozed_at: Instant
    version: Literal[1] = 1
    is_ended: Annotated[bool, Meta(description="true: somebody ended it before its time")] = False
