"""How much is too much."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one ingest."""

    body_bytes: int = 8 * 1024 * 1024  # as it comes, and decompressed
    batch_events: int = 10_000
    events_per_s: float = 20_000  # of each source
    requests_in_flight: int = 64


class TokenBucket:
    """Lets ``rate_per_s`` through in the long run, and at once what was saved up in two seconds.

    What exceeds the balance is granted as long as there is any, and makes it negative: every batch passes some time.
    """

    def __init__(self, *, rate_per_s: float) -> None:
        self._rate_per_s = rate_per_s
        self._balance_max = self._balance = 2 * rate_per_s
        self._updated_s = 0.0

    def take(self, count: int, *, now_s: float) -> float:
        """Take ``count`` and return 0, or take nothing and return the seconds after which it is worth asking again."""
        saved = max(0.0, now_s - self._updated_s) * self._rate_per_s
        self._balance = min(self._balance_max, self._balance + saved)
        self._updated_s = now_s
        if self._balance <= 0:
            return -self._balance / self._rate_per_s + 1 / self._rate_per_s
        self._balance -= count
        return 0.0
