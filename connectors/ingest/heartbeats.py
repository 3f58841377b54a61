"""The heartbeats of the sources that push: those they send, and those that their links stand for."""

from typing import Annotated, Final

from msgspec import UNSET, Meta, Struct, UnsetType

from streams.schema.codec import Codec
from streams.schema.link_event import Instant

PERIOD_DEFAULT_S: Final = 3600.0
# One in so many ms keeps a source fresh that has a usual period; one with a shorter period gets several in each.
_BETWEEN_MS_MAX: Final = 10_000
_IN_A_PERIOD: Final = 4


class PushedHeartbeat(Struct, frozen=True):
    """The body of POST /v1/heartbeats: the source is its token's. ``"period_s": null`` says that it has finished."""

    seen_until: Instant
    period_s: Annotated[float, Meta(gt=0)] | UnsetType | None = UNSET
    pages_seen: Annotated[int, Meta(ge=0)] = 0
    errors: Annotated[int, Meta(ge=0)] = 0


pushed_heartbeats: Final = Codec(PushedHeartbeat)


class Heartbeats:
    """Remembers of each source when it was last said to be alive, and the period that it declared."""

    def __init__(self, *, period_s: float) -> None:
        self._period_s = period_s
        self._declared_s: dict[str, float] = {}
        self._sent_ms: dict[str, int] = {}

    def period_s(self, source: str) -> float:
        """Return the period within which ``source`` is expected to be heard again."""
        return self._declared_s.get(source, self._period_s)

    def declare(self, source: str, *, period_s: float) -> None:
        """Remember the period of a source."""
        self._declared_s[source] = period_s

    def is_due(self, source: str, *, now_ms: int) -> bool:
        """Whether links of ``source`` are a reason to say again that it is alive."""
        between_ms = min(_BETWEEN_MS_MAX, self.period_s(source) * 1000 / _IN_A_PERIOD)
        return source not in self._sent_ms or now_ms - self._sent_ms[source] >= between_ms

    def sent(self, source: str, *, now_ms: int) -> None:
        """Remember that it was said."""
        self._sent_ms[source] = now_ms
