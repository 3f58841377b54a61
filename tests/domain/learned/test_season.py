"""Seasons: links in the same months of every year."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.judgement.evidence import Evidence
from flatline.domain.judgement.judgement import Judgement, judge
from flatline.domain.learned.hazard import Hazard
from flatline.domain.learned.season import Season, season_of
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.state.rhythm import Rhythm
from flatline.domain.time import DAY_MS
from flatline.schema.verdict import State


def day(on: str) -> int:
    """Return the UTC day of a date."""
    return date.fromisoformat(on).toordinal() - date(1970, 1, 1).toordinal()


def spring(year: int) -> list[int]:
    """Return a link day every five days of February and March."""
    return list(range(day(f"{year}-02-03"), day(f"{year}-03-31"), 5))


TWO_YEARS = [*spring(2019), *spring(2020)]
THREE_YEARS = [*TWO_YEARS, *spring(2021)]


@pytest.mark.parametrize(
    ("link_days", "season", "why"),
    [
        ([], None, "nothing is known"),
        (TWO_YEARS, None, "one pause that ended is no season"),
        (THREE_YEARS, Season(day("2022-02-02"), day("2022-03-20")), "two that ended are"),
        (
            [*THREE_YEARS, day("2021-07-01")],
            Season(day("2022-02-03"), day("2022-03-20")),
            "a stray link changes nothing",
        ),
        (
            [*THREE_YEARS, day("2021-07-01"), day("2021-07-09")],
            None,
            "links in the summer: it does not pause as before",
        ),
        ([*THREE_YEARS, day("2022-03-25")], None, "overdue links came, and no season after them is known"),
        ([day(f"{year}-03-01") for year in range(2015, 2022)], None, "one link a year makes no season"),
        (list(range(day("2019-01-01"), day("2021-07-01"), 5)), None, "no pause in other years"),
    ],
)
def test_season(link_days: list[int], season: Season | None, why: str) -> None:
    """Two years that say so make a season."""
    found = season_of(link_days)
    assert (found is None) == (season is None), why
    if found and season:
        assert abs(found.return_day - season.return_day) <= 2, why
        assert abs(found.until_day - season.until_day) <= 2, why


@given(
    begins=st.tuples(*[st.integers(-15, 15)] * 3),
    first=st.integers(day("2015-01-01"), day("2016-12-31")),
    length_days=st.integers(20, 120),
    apart_days=st.integers(1, 10),
    strays=st.tuples(*[st.none() | st.floats(0, 1)] * 3),
)
def test_a_season_is_found_in_any_month(
    begins: tuple[int, ...], first: int, length_days: int, apart_days: int, strays: tuple[float | None, ...]
) -> None:
    """Three seasons are enough, if they begin at about the same time, and one stray link after each changes nothing."""
    link_days = list[int]()
    for year, (moved, stray) in enumerate(zip(begins, strays, strict=True)):
        begin = first + round(365.25 * year) + moved
        in_season = range(begin, begin + length_days, apart_days)
        link_days += in_season
        if stray is not None and len(in_season) >= 4:
            pause = range(in_season[-1] + 31, begin + 365 - 2 * 15 - 31)
            link_days.append(pause[int(stray * (len(pause) - 1))])
    found = season_of(link_days)
    assert found is not None
    due = first + round(365.25 * 3)
    assert abs(found.return_day - due) <= 15 + 1
    assert due + 15 <= found.until_day <= due + 15 + 45 + 1


@pytest.mark.parametrize("month", range(1, 13))
def test_a_season_returns_in_its_own_month(month: int) -> None:
    """Leap years move no month: what began on the first of one is expected on the first of one."""
    begins = [day(f"{year}-{month:02}-01") for year in (2023, 2024, 2025)]
    found = season_of([begin + each for begin in begins for each in range(0, 50, 5)])
    assert found is not None
    assert found.return_day == day(f"2026-{month:02}-01")


def test_a_pause_of_every_year_is_no_silence_until_links_are_overdue() -> None:
    """It is said when links are expected again, and an alert comes soon after they failed to, and not as old news."""
    previous: PreviousVerdict | None = None
    said: list[tuple[int, Judgement]] = []
    for today in range(day("2021-04-01"), day("2022-12-31")):
        evidence = Evidence(Rhythm.of(THREE_YEARS), 0, season=season_of(THREE_YEARS))
        found = judge(evidence, previous=previous, now_ms=today * DAY_MS, thresholds=Thresholds(), hazard=Hazard())
        if previous is None or found.state is not previous.state:
            said.append((today, found))
        if today == day("2021-12-31"):
            assert found.reason.startswith("It pauses as every year, and links are expected again in February 2022.")
        previous = found.as_previous_verdict()
    states = [(found.state, today) for today, found in said]
    assert [state for state, _ in states] == [State.GROWING, State.STEADY, State.SILENT, State.DORMANT]
    assert day("2022-03-15") < states[2][1] <= day("2022-03-25")
