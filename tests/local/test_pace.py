import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.local.pace import Pace, duration_ms

DURATIONS = st.sampled_from(["0", "250ms", "1s", "15s", "5m", "1h30m", "2d", "1w", "1y"])


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("0", 0),
        ("250ms", 250),
        ("1h30m", 5_400_000),
        ("1m1ms", 60_001),
        ("1w", 7 * 86_400_000),
        ("1y", 365 * 86_400_000),
    ],
)
def test_durations_are_prometheus_own(text: str, expected_ms: int) -> None:
    """The units of Prometheus' documentation; a minute isn't a millisecond."""
    assert duration_ms(text) == expected_ms


@pytest.mark.parametrize("text", ["", "5", "5 m", "m", "1.5h", "-1m", "1h30"])
def test_anything_else_is_refused(text: str) -> None:
    """A typing error in a rule stops the start, instead of becoming some other duration."""
    with pytest.raises(ValueError, match="is not a duration"):
        duration_ms(text)


@given(duration=DURATIONS)
def test_pace_one_changes_nothing(duration: str) -> None:
    """Production reads the files as they are written."""
    assert Pace().shorten(duration, floor_ms=1000) == duration


@given(duration=DURATIONS, speed=st.floats(1.001, 1e6), floor_ms=st.integers(0, 10_000))
def test_shortened_is_the_duration_by_the_speed_within_its_bounds(duration: str, speed: float, floor_ms: int) -> None:
    """Never longer than it was, and below the floor only if it was already."""
    before_ms, after_ms = duration_ms(duration), duration_ms(Pace(speed).shorten(duration, floor_ms=floor_ms))
    assert after_ms <= before_ms
    assert after_ms >= min(before_ms, floor_ms)
    if floor_ms < after_ms < before_ms:
        assert after_ms == pytest.approx(before_ms / speed, abs=1)
