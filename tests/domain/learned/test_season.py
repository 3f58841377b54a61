"""Seasons: links in the same months of every year."""

from datetime import date

import pytest

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
        (THREE_YEARS, Season(day("2022-02-02"), day("2022-03-05")), "two that ended are"),
        ([*THREE_YEARS, day("2021-07-01")], None, "a link in the summer: it does not pause as in other years"),
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
    assert day("2022-03-01") < states[2][1] <= day("2022-03-10")
