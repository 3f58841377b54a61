"""Dates as people and tools write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline_connectors.files.exports.dates import DateOrder, instant_of, order_of
from flatline_connectors.files.exports.errors import UnreadableExport


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("2026-11-20 08:14:03", "2026-11-20T08:14:03+00:00"),
        ("2026-11-20T08:14:03Z", "2026-11-20T08:14:03+00:00"),
        ("2026-11-20T09:14:03+01:00", "2026-11-20T08:14:03+00:00"),
        ("2026-11-20 08:14:03 +00:00", "2026-11-20T08:14:03+00:00"),
        ("2026-11-20 08:14:03 UTC", "2026-11-20T08:14:03+00:00"),
        ("2026/11/20", "2026-11-20T00:00:00+00:00"),
        ("20261120", "2026-11-20T00:00:00+00:00"),
        ("20.11.2026", "2026-11-20T00:00:00+00:00"),
        ("3.4.2026 17:30:00", "2026-04-03T17:30:00+00:00"),
        ("Sep 5, 2026", "2026-09-05T00:00:00+00:00"),
        ("28 September 2026", "2026-09-28T00:00:00+00:00"),
        ("1795162443", "2026-11-20T08:14:03+00:00"),
        ("1795162443000", "2026-11-20T08:14:03+00:00"),
        ("1795162443000000000", "2026-11-20T08:14:03+00:00"),
    ],
)
def test_forms(text: str, expected: str) -> None:
    """Each form means one instant; without a zone, of UTC."""
    instant = instant_of(text)
    assert instant is not None
    assert instant.isoformat() == expected


@pytest.mark.parametrize("text", ["", " ", "-", "N/A", "null"])
def test_nothing_is_no_date(text: str) -> None:
    """An empty cell, in any of its forms, says nothing."""
    assert instant_of(text) is None


@pytest.mark.parametrize(
    "text", ["2026", "2026-11", "false", "60", "0", "1969-01-01", "32.01.2026", "03/04/2026", "soon"]
)
def test_what_is_no_date_is_not_completed(text: str) -> None:
    """Parts that are missing are never taken from today, and an unclear order is not guessed."""
    with pytest.raises(ValueError, match=r"."):
        instant_of(text)


days = st.datetimes(datetime(1992, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
)


@given(st.lists(days, min_size=1, max_size=20), st.sampled_from(DateOrder))
def test_one_file_has_one_order(dates: list[datetime], order: DateOrder) -> None:
    """Slashed dates come back as they were meant, or the file is asked about; never as another day."""
    form = "%d/%m/%Y" if order is DateOrder.DAY_FIRST else "%m/%d/%Y"
    texts = [date.strftime(form) for date in dates]
    if any(date.day > 12 for date in dates) or all(date.day == date.month for date in dates):
        found = order_of(texts, stated=None, where="file")
        assert [instant_of(text, found) for text in texts] == dates
    else:
        with pytest.raises(UnreadableExport, match="--date-order"):
            order_of(texts, stated=None, where="file")
    told = order_of(texts, stated=order, where="file")
    assert [instant_of(text, told) for text in texts] == dates


def test_both_orders_in_one_file_are_refused() -> None:
    """Nobody can tell what the unclear ones among them mean."""
    with pytest.raises(UnreadableExport, match="Correct the file"):
        order_of(["13/01/2026", "01/13/2026"], stated=DateOrder.DAY_FIRST, where="file")


@given(st.datetimes(datetime(1992, 1, 1), datetime(2090, 1, 1)))  # noqa: DTZ001
def test_unix_times_in_any_unit(at: datetime) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds are told apart by their size."""
    at = at.replace(microsecond=0, tzinfo=UTC)
    seconds = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    for unit in (1, 10**3, 10**6, 10**9):
        assert instant_of(str(seconds * unit)) == at
