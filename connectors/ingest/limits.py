"""Limits of the ingest server, and the token bucket that holds a source to its rate."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The limits of one ingest. Each is the setting FLATLINE_INGEST_ and its name, where its default is, too."""

    max_body_bytes: int  # as it comes, and decompressed
    max_batch_events: int
    max_events_per_s: float  # of each token's source
    max_bytes_per_s: float  # of each token's source, decompressed
    max_requests: int  # at a time
    max_bytes_in_flight: int  # of all bodies that were received and not answered
    max_connections: int
    header_timeout_s: float
    body_timeout_s: float
    idle_timeout_s: float


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
