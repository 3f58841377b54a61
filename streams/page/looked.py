"""Remembers, in a cookie, when a reader last looked."""

from typing import Final, NamedTuple

COOKIE: Final = "flatline_looked"
COOKIE_MAX_AGE_S: Final = 400 * 86_400  # what browsers keep at most
_ONE_LOOK_MS: Final = 30 * 60_000


class Looked(NamedTuple):
    """When a reader last looked, and when the look before began; in ms. None: never before.

    Pages within half an hour are one look: what is new stays new while somebody reads.
    """

    before_ms: int | None
    last_ms: int

    @classmethod
    def again(cls, cookie: str | None, *, now_ms: int) -> "Looked":
        """Return what a cookie says, brought up to now. What is no cookie of ours, or of the future, says nothing."""
        before, _, last = (cookie or "").partition(".")
        if not (last.isascii() and last.isdigit() and int(last) <= now_ms):
            return cls(None, now_ms)
        if now_ms - int(last) > _ONE_LOOK_MS:
            return cls(int(last), now_ms)
        return cls(int(before) if before.isascii() and before.isdigit() else None, int(last))

    @property
    def cookie(self) -> str:
        """The cookie's value."""
        return f"{'' if self.before_ms is None else self.before_ms}.{self.last_ms}"
