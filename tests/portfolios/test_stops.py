"""Stops and pauses: who is said to have stopped, and who is not."""

from random import Random

import pytest

from flatline.demo import rhythms
from flatline.schema.verdict import State
from tests.portfolios.world import Link, World


def gained(article: str, days: list[int]) -> list[Link]:
    """Return an article that gains a link on each of these days."""
    return [Link(article, day) for day in days]


@pytest.mark.parametrize("mean_gap", [3, 12, 40])
def test_a_stop_is_said_once_and_becomes_no_news(mean_gap: int) -> None:
    """From doubt to silence to no news, with nothing in between."""
    days = rhythms.steady(Random(mean_gap), range(-900, 100), mean_gap=mean_gap)
    lives = World(gained("article", days)).play(days=1_000)
    assert lives.states("article", slice(100, None))[-3:] == [State.COOLING, State.SILENT, State.DORMANT]


def test_a_revival_is_news_once() -> None:
    """After a silence that was said, links come again: revived from the second on, for four weeks."""
    days = [*range(-400, 0, 10), *range(400, 600, 10)]
    lives = World(gained("article", days)).play(days=600)
    states = lives.states("article", slice(390, None))
    assert states[0] in {State.SILENT, State.DORMANT}
    assert states.count(State.REVIVED) == 1
    revived = [day for day, verdict in enumerate(lives["article"]) if verdict.state is State.REVIVED]
    assert revived == list(range(410, 438))


def test_a_rare_gainer_is_neither_silent_nor_revived() -> None:
    """A link every 500 days or so: that none comes in the next half-year is its usual state."""
    days = [-1_300, -800, -310, 200, 690, 1_200, 1_690]
    lives = World(gained("article", days)).play(days=1_900)
    assert not {State.SILENT, State.REVIVED} & set(lives.states("article"))


def test_a_rare_gainer_that_stops_is_silent_in_the_end() -> None:
    """After a gap that is unusual even for it."""
    days = [-1_300, -1_050, -810, -560, -300, -60, 200]
    lives = World(gained("article", days)).play(days=1_200)
    assert 200 + 2 * 250 <= lives.day_of("article", State.SILENT) < 1_000


@pytest.mark.long
def test_a_crowd_is_a_burst_and_a_page_with_many_links_a_day_is_not() -> None:
    """Thirty pages in a week where one a month was usual is a burst; so many as ever is none."""
    calm = gained("crowd", list(range(-900, 400, 30)))
    crowd = [Link("crowd", 200 + n % 5, page=f"https://fan-{n}.example/") for n in range(30)]
    usual = [Link("usual", day, page=f"https://a-{day}-{n}.example/") for day in range(-900, 400, 9) for n in range(6)]
    lives = World([*calm, *crowd, *usual]).play(days=400)
    burst = [day for day, verdict in enumerate(lives["crowd"]) if verdict.state is State.BURSTING]
    assert burst
    assert burst == list(range(burst[0], burst[-1] + 1))
    assert 200 <= burst[0] <= 202
    assert State.BURSTING not in lives.states("usual")


@pytest.mark.long
def test_an_article_of_random_luck_is_left_alone() -> None:
    """Steady gainers with exponential gaps: over ten years together hardly any state but steady, and no alert."""
    articles = {f"article-{n}": rhythms.steady(Random(n), range(-900, 800), mean_gap=15) for n in range(6)}
    lives = World([link for article, days in articles.items() for link in gained(article, days)]).play(days=730)
    assert not lives.those(State.SILENT) | lives.those(State.REVIVED)
    changes = sum(len(lives.states(article)) - 1 for article in lives)
    assert changes <= 12, "at most one change of state an article and year"
