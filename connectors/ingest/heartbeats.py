"""The periods that sources declared, as the heartbeats topic has them, and when links say that their source is alive.

The topic is compacted by source: it is where declared periods outlive the ingest, and where several ingests share them.
"""

from typing import Final, NamedTuple

from flatline.domain.time import to_ms
from flatline.domain.visibility.clamped_heartbeat import clamped
from flatline.schema import codec
from flatline.schema.heartbeat import Heartbeat

# One in so many ms keeps a source fresh that has a usual period; one with a shorter period gets several in each.
_BETWEEN_MS_MAX: Final = 10_000
_IN_A_PERIOD: Final = 4


class _Declared(NamedTuple):
    sent_ms: int
    period_s: float | None


class Heartbeats:
    """The newest period of each source, and when each was last said to be alive.

    Links are a sign of life of sources that have a period. When to expect others the workers learn from their habits.
    ``default_period_s`` is that of a source whose heartbeats have never named one.
    """

    def __init__(self, *, default_period_s: float) -> None:
        self._default_period_s = default_period_s
        self._declared: dict[str, _Declared] = {}
        self._sent_ms: dict[str, int] = {}

    def receive(self, key: bytes, value: bytes | None, recorded_ms: int) -> None:
        """Take a record of the topic in. Raise `Rejected`."""
        if value is None:
            self._declared.pop(key.decode(errors="replace"), None)
        else:
            self.note(clamped(codec.heartbeats.decode(value), recorded_ms=recorded_ms))

    def note(self, heartbeat: Heartbeat) -> None:
        """Note the period of a heartbeat, unless a later one is known."""
        sent_ms, known = to_ms(heartbeat.sent_at), self._declared.get(heartbeat.source)
        if known is None or sent_ms >= known.sent_ms:
            self._declared[heartbeat.source] = _Declared(sent_ms, heartbeat.period_s)

    def declared_s(self, source: str) -> float | None:
        """Return the period of ``source``; None if it has never sent a heartbeat, or has finished."""
        known = self._declared.get(source)
        return None if known is None else known.period_s

    def period_s(self, source: str) -> float:
        """Return the period that a heartbeat of ``source`` promises by default."""
        return self.declared_s(source) or self._default_period_s

    def is_due(self, source: str, *, now_ms: int) -> bool:
        """Whether links of ``source`` are a reason to say again that it is alive."""
        period_s = self.declared_s(source)
        if period_s is None:
            return False
        between_ms = min(_BETWEEN_MS_MAX, period_s * 1000 / _IN_A_PERIOD)
        return source not in self._sent_ms or now_ms - self._sent_ms[source] >= between_ms

    def sent(self, source: str, *, now_ms: int) -> None:
        """Remember that it was said."""
        self._sent_ms[source] = now_ms
