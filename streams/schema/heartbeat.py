"""The heartbeat: a source says how far it has seen. Compacted by source."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from flatline.schema.limits import SourceName
from flatline.schema.link_event import Instant

PERIOD_S_MAX = 10 * 365 * 86_400
COUNT_MAX = 2**63 - 1

Period = Annotated[float, Meta(gt=0, le=PERIOD_S_MAX)]
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]


class Heartbeat(Struct, frozen=True, omit_defaults=True, gc=False):
    """The source has seen everything up to ``seen_until``, and will say so again within ``period_s``.

    With ``seen_from`` it claims nothing of the time before: it began then, or came back after a gap that nobody fills.
    A source whose ``seen_until`` falls several periods behind is stale. Without ``period_s`` the source has
    finished (an import): nothing more is expected of it, and it does not go stale.

    `codec.heartbeats` checks the bounds; constructing one checks nothing.
    """

    source: SourceName
    sent_at: Instant
    seen_until: Instant
    version: Literal[1] = 1
    period_s: Period | None = None
    pages_seen: Count = 0
    errors: Count = 0
    seen_from: Instant | None = None
