"""Times as pages write them: they may lack their zone, and are in UTC then."""

from datetime import UTC, datetime


def instant_of(text: str) -> datetime | None:
    """Return a time that is written as ISO 8601 has it, in UTC; None for what is none."""
    try:
        return in_utc(datetime.fromisoformat(text.strip()))
    except ValueError:
        return None


def in_utc(instant: datetime) -> datetime | None:
    """Return an instant in UTC; None where it is out of range there."""
    try:
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except OverflowError:
        return None
