"""Event times, clamped to what is possible."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.time import EARLIEST_MS, check_stated_times, clamped_ms, stated_ms, to_datetime, to_ms
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected

RECORDED = datetime(2026, 6, 1, tzinfo=UTC)
OCCURRED = datetime(2026, 5, 1, tzinfo=UTC)
OBSERVED = datetime(2026, 5, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("occurred", "observed", "expected", "is_clamped", "why"),
    [
        (OCCURRED, OBSERVED, OCCURRED, False, "when it appeared comes first"),
        (None, OBSERVED, OBSERVED, False, "else when somebody saw it"),
        (None, None, RECORDED, False, "else when the record was written"),
        (RECORDED + timedelta(days=1), None, RECORDED, True, "nobody writes of what is still to come"),
    ],
)
def test_event_time(
    occurred: datetime | None, observed: datetime | None, expected: datetime, is_clamped: bool, why: str
) -> None:
    """The event time of each kind of event."""
    event = LinkEvent("https://a.example/", "https://b.example/", occurred_at=occurred, observed_at=observed)
    when_ms = stated_ms(event, recorded_ms=to_ms(RECORDED))
    at_ms = clamped_ms(when_ms, recorded_ms=to_ms(RECORDED))
    assert (to_datetime(at_ms), at_ms != when_ms) == (expected, is_clamped), why


@pytest.mark.parametrize("field", ["occurred_at", "observed_at"])
@pytest.mark.parametrize(
    "instant",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 21, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        to_datetime(EARLIEST_MS - 1),
    ],
)
def test_a_time_before_the_web_is_none(field: str, instant: datetime) -> None:
    """A clock that was never set says nothing, whatever else the event says. From the first web page on it does."""
    times = {"occurred_at": OCCURRED, "observed_at": OBSERVED}
    with pytest.raises(Rejected, match=field) as rejected:
        check_stated_times(LinkEvent("https://a.example/", "https://b.example/", **{**times, field: instant}))
    assert rejected.value.reason is Reason.INVALID_TIME
    times[field] = to_datetime(EARLIEST_MS)
    check_stated_times(LinkEvent("https://a.example/", "https://b.example/", **times))


def test_a_record_time_in_microseconds_is_clamped() -> None:
    """A producer that writes record times in another unit does no harm: the time stays one that a segment can hold."""
    recorded_ms = to_ms(RECORDED) * 1_000
    assert clamped_ms(recorded_ms, recorded_ms=recorded_ms) < 1 << 48


@given(st.datetimes(min_value=datetime(1600, 1, 1), max_value=datetime(2400, 1, 1)))  # noqa: DTZ001
def test_instants_round_down_to_ms(moment: datetime) -> None:
    """An instant becomes the millisecond that it lies in, before 1970 as well."""
    instant = moment.replace(tzinfo=UTC)
    assert timedelta(0) <= instant - to_datetime(to_ms(instant)) < timedelta(milliseconds=1)
