"""What an article's state remembers of the last verdict on it."""

from msgspec import Struct

from flatline.schema.verdict import FindingKind, State


class PreviousVerdict(Struct, frozen=True, array_like=True, gc=False):
    """The last verdict, as far as the next one needs it. ``digest`` tells whether a verdict says anything new."""

    state: State
    since_ms: int
    digest: int
    found: dict[FindingKind, int] = {}  # kind -> since when, in ms
    link_days: int = 0  # how many were known
    quiet_since_ms: int = 0  # since when it was silent, while one link alone has come after that; else 0
