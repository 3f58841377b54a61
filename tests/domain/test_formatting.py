"""Figures as people say them."""

import pytest

from flatline.domain.formatting import count, every, figure, figured


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (count(1, "day"), "1 day"),
        (count(1_200, "link"), "1,200 links"),
        (figure(0.341), "0.34"),
        (figure(4.63), "4.6"),
        (figure(462.6), "463"),
        (figure(1_083), "1,083"),
        (every(1.0), "every day"),
        (every(4.63), "every 4.6 days"),
        (every(30), "every 30 days"),
        (figured(1.02, "day"), "1 day"),
        (figured(2.34, "day"), "2.3 days"),
    ],
)
def test_figures_are_said_as_people_say_them(said: str, words: str) -> None:
    """As many digits as say something, and no day that is many."""
    assert said == words
