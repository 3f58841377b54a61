import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.clock import ClockError, FileClock, WallClock, clock_from
from flatline.domain.time import to_ms
from flatline.settings import Settings

INSTANTS_MS = st.integers(min_value=0, max_value=4_102_444_800_000)


@given(instants_ms=st.lists(INSTANTS_MS, min_size=1))
def test_everybody_who_goes_by_the_file_sees_what_it_was_turned_to(instants_ms: list[int], tmp_path: Path) -> None:
    """Also somebody who looks for the first time, such as a process that was restarted."""
    file = tmp_path / "clock"
    turned, watched = FileClock(file), FileClock(file)
    for instant_ms in instants_ms:
        turned.turn(instant_ms)
        assert watched.now_ms() == FileClock(file).now_ms() == instant_ms


def test_the_file_holds_rfc_3339(tmp_path: Path) -> None:
    """Whoever opens it can read it, and whoever writes it by hand may use any zone."""
    file = tmp_path / "clock"
    FileClock(file).turn(1_704_067_200_000)
    assert to_ms(datetime.fromisoformat(file.read_text().strip())) == 1_704_067_200_000
    file.write_text("2024-01-01T02:00:00+02:00")
    assert FileClock(file).now_ms() == 1_704_067_200_000


TURNER = """
import sys
from pathlib import Path
from flatline.clock import FileClock

clock = FileClock(Path(sys.argv[1]))
for _ in range(500):
    clock.turn(0)
    clock.turn(1_704_067_200_123)
"""


def test_nobody_sees_half_a_turn(tmp_path: Path) -> None:
    """While another process turns the clock all the time, it always shows one of the times that it is turned to."""
    file = tmp_path / "clock"
    FileClock(file).turn(0)
    seen = set[int]()
    with subprocess.Popen([sys.executable, "-c", TURNER, str(file)]) as turner:
        while turner.poll() is None:
            seen |= {FileClock(file).now_ms() for _ in range(100)}
    assert turner.returncode == 0
    assert seen <= {0, 1_704_067_200_123}


@pytest.mark.parametrize("content", [None, "", "soon", "2024-01-01T00:00:00"])
def test_a_file_without_a_time_is_named(content: str | None, tmp_path: Path) -> None:
    """A missing file, nonsense and a time without its zone are found out at the start, not in the middle of work."""
    file = tmp_path / "clock"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ClockError, match=str(file)):
        clock_from(Settings(clock_file=file))


def test_wall_clock_is_the_machines() -> None:
    """The wall clock agrees with time.time()."""
    before_s = time.time()
    now_ms = WallClock().now_ms()
    assert int(before_s * 1000) <= now_ms <= time.time() * 1000


def test_settings_choose_the_clock(tmp_path: Path) -> None:
    """Without a clock's file the wall's."""
    assert isinstance(clock_from(Settings()), WallClock)
    FileClock(tmp_path / "clock").turn(7)
    assert clock_from(Settings(clock_file=tmp_path / "clock")).now_ms() == 7
