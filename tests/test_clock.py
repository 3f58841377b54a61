import time

from hypothesis import given
from hypothesis import strategies as st

from streams.clock import AcceleratedClock, WallClock, clock_from
from streams.settings import Settings

INSTANTS_MS = st.integers(min_value=0, max_value=4_102_444_800_000)
DURATIONS_MS = st.integers(min_value=0, max_value=86_400_000_000)
SPEEDS = st.floats(min_value=0.001, max_value=1e7)


def accelerated(*, origin_ms: int, epoch_ms: int, speed: float, wall_ms: int) -> AcceleratedClock:
    """Return a clock on a wall that has stopped at ``wall_ms``."""
    return AcceleratedClock(origin_ms, epoch_ms, speed, wall_now_ms=lambda: wall_ms)


@given(origin_ms=INSTANTS_MS, epoch_ms=INSTANTS_MS, speed=SPEEDS)
def test_shows_its_origin_at_its_epoch(origin_ms: int, epoch_ms: int, speed: float) -> None:
    """The two clocks meet where the settings say that they do."""
    clock = accelerated(origin_ms=origin_ms, epoch_ms=epoch_ms, speed=speed, wall_ms=epoch_ms)
    assert clock.now_ms() == origin_ms


@given(origin_ms=INSTANTS_MS, epoch_ms=INSTANTS_MS, elapsed_ms=DURATIONS_MS, speed=st.integers(1, 1_000_000))
def test_runs_speed_times_as_fast(origin_ms: int, epoch_ms: int, elapsed_ms: int, speed: int) -> None:
    """So many ms of the wall are `speed` times as many of the clock."""
    clock = accelerated(origin_ms=origin_ms, epoch_ms=epoch_ms, speed=speed, wall_ms=epoch_ms + elapsed_ms)
    assert clock.now_ms() == origin_ms + elapsed_ms * speed


def test_stops_at_its_end() -> None:
    """A clock with an end shows it for ever; until then it runs as ever."""
    for wall_ms, shown_ms in ((10, 100), (15, 150), (20, 200), (1_000, 200)):
        clock = AcceleratedClock(origin_ms=0, epoch_ms=0, speed=10, end_ms=200, wall_now_ms=lambda at=wall_ms: at)
        assert clock.now_ms() == shown_ms


@given(duration_ms=DURATIONS_MS, speed=SPEEDS)
def test_waiting_for_wall_ms_is_waiting_long_enough_and_no_longer(duration_ms: int, speed: float) -> None:
    """After wall_ms of waiting the duration has passed; a millisecond less would not have done."""
    wait_ms = accelerated(origin_ms=0, epoch_ms=0, speed=speed, wall_ms=0).wall_ms(duration_ms)
    rounding = 1e-9 * (duration_ms + 1)
    assert wait_ms * speed >= duration_ms - rounding
    assert (wait_ms - 1) * speed < duration_ms + rounding


def test_wall_clock_is_the_machines() -> None:
    """The wall clock agrees with time.time(), and takes a duration for what it is."""
    before_s = time.time()
    now_ms = WallClock().now_ms()
    assert int(before_s * 1000) <= now_ms <= time.time() * 1000
    assert WallClock().wall_ms(1234) == 1234


def test_settings_choose_the_clock() -> None:
    """Without clock settings the wall's; with them an accelerated one that all processes compute alike."""
    assert isinstance(clock_from(Settings()), WallClock)
    settings = Settings.model_validate(
        {
            "clock_origin": "2024-01-01T00:00:00Z",
            "clock_epoch": "2026-05-01T14:00:00+02:00",
            "clock_speed": "86400",
        }
    )
    assert clock_from(settings) == AcceleratedClock(
        origin_ms=1_704_067_200_000, epoch_ms=1_777_636_800_000, speed=86400.0
    )
