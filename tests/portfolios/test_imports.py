"""Histories that are told at once: counted, and judged as of now, with no alert on the past."""

import pytest

from flatline.schema.verdict import State
from tests.portfolios.world import Link, Source, World

VENDOR = Source("vendor")
TOLD = 100
NEWS = {State.SILENT, State.REVIVED, State.BURSTING}


def told(article: str, days: range, *, discovery: str, source: Source = VENDOR) -> list[Link]:
    """Return a history that is reported on the day TOLD, at once."""
    return [Link(article, day, source=source, discovery=discovery, reported=TOLD) for day in days]


@pytest.mark.parametrize("discovery", ["import", "page_found", "link_found"])
@pytest.mark.parametrize(
    ("days", "why"),
    [
        (range(-900, -500, 10), "stopped years ago"),
        (range(-600, -150, 10), "stopped some months ago, and would be called silent today"),
        (range(-600, TOLD, 10), "still gains links"),
        (range(50, TOLD), "a link each day of late"),
    ],
)
def test_an_article_that_we_meet_with_a_history_is_no_news(days: range, why: str, discovery: str) -> None:
    """Whatever its history, and whether it is called an import or not, nothing is said to have happened."""
    lives = World(told("article", days, discovery=discovery)).play(days=TOLD + 60)
    life = lives["article"]
    assert life[0].gained_total == len(days)
    assert not NEWS & set(lives.states("article")), why


@pytest.mark.parametrize("discovery", ["import", "link_found"])
def test_an_article_that_we_knew_too_little_of_is_no_news_either(discovery: str) -> None:
    """Two links under watch, and then the history of an article that stopped: it was never seen alive."""
    seen = [Link("article", day) for day in (1, 2)]
    history = told("article", range(-600, -300, 10), discovery=discovery)
    links = [*seen, *(link._replace(reported=500) for link in history)]
    lives = World(links).play(days=900)
    assert not NEWS & set(lives.states("article"))


def test_an_import_in_the_middle_of_a_silence_does_not_end_it() -> None:
    """The vendor tells in bulk what it always knew, dated today: the silence goes on, and so does its day."""
    links = [Link("article", day) for day in range(-400, 0, 10)]
    bulk = [Link("article", 350, page=f"https://bulk-{n}.example/", discovery="import") for n in range(300)]
    lives = World([*links, *bulk]).play(days=450)
    begins = lives.day_of("article", State.SILENT)
    assert begins < 350
    assert lives["article"][450 - 1].gained_total == 340
    assert not NEWS - {State.SILENT} & set(lives.states("article", slice(begins, None)))
    assert lives["article"][begins].since == lives["article"][360].since


def test_old_links_told_late_take_a_silence_back_and_revive_nothing() -> None:
    """What happened before the silence was said, and is told after it, makes it a mistake and no comeback."""
    links = [Link("article", day) for day in range(-400, 20, 10)]
    silent = World(links).play(days=500).day_of("article", State.SILENT)
    forgotten = [Link("article", day, reported=silent + 5) for day in range(30, silent - 3, 10)]
    lives = World([*links, *forgotten]).play(days=silent + 60)
    assert lives.states("article", slice(silent, silent + 30)) == [State.SILENT, State.STEADY]
    assert State.REVIVED not in lives.states("article")
