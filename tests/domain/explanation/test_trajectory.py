from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.domain.explanation.trajectory import Point, trajectory
from flatline.domain.learned.expectation import Baseline, expect

TODAY = 20_000


def _of(days: list[int], *, today: int = TODAY, published_day: int | None = None) -> list[Point]:
    return trajectory(
        dict.fromkeys(sorted(days), 1), published_day=published_day, watched_day=0, today=today, baseline=Baseline()
    )


def test_the_lines_meet_at_the_turn_and_part_after_it() -> None:
    """A year after the last link as many links were expected by that link as came, and more since."""
    days = list(range(TODAY - 1_000, TODAY - 364, 10))
    points = {point.day: point for point in _of(days)}
    turn = points[days[-1]]
    assert turn.expected == pytest.approx(turn.gained) == len(days)
    assert points[TODAY].gained == len(days)
    assert points[TODAY].expected > len(days) + 5


def test_an_article_that_gains_is_expected_from_before_the_last_quarter() -> None:
    """Where links still come, the last quarter's expected ones are those of the verdict's 90 days."""
    days = list(range(TODAY - 1_000, TODAY + 1, 10))
    points = {point.day: point for point in _of(days)}
    window = expect(
        dict.fromkeys(days, 1), published_day=None, watched_day=0, now_days=TODAY + 1.0, baseline=Baseline()
    )
    assert window is not None
    assert points[TODAY].expected - points[TODAY - 90].expected == pytest.approx(window.windows[2].expected)
    assert points[TODAY].gained - points[TODAY - 90].gained == 9


@pytest.mark.parametrize(
    ("days", "because"),
    [
        ([], "there is nothing to draw"),
        ([TODAY + 1], "its first link is ahead of the clock"),
    ],
)
def test_nothing_is_drawn_of_nothing(days: list[int], because: str) -> None:
    """Without links up to today there are no points."""
    assert _of(days) == [], because


def test_the_line_begins_with_publication() -> None:
    """The weeks before the first link are part of the life of an article whose publication is registered."""
    points = _of([TODAY - 200, TODAY - 100], published_day=TODAY - 300)
    assert points[0] == Point(TODAY - 300, 0, 0.0)


@given(st.sets(st.integers(TODAY - 4_000, TODAY), min_size=1, max_size=40))
def test_both_lines_only_rise(days: set[int]) -> None:
    """Days follow on each other up to today, links add up, and their number is that of all links at the end."""
    points = _of(list(days))
    assert points[-1].day == TODAY
    assert points[-1].gained == len(days)
    for earlier, later in pairwise(points):
        assert earlier.day < later.day
        assert earlier.gained <= later.gained
        assert earlier.expected <= later.expected + 1e-9
