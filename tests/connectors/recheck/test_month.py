"""Pages that change, lie, wall and vanish over a month: no false loss, and every true one is found."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from flatline_connectors.recheck.connector import RecheckState
from tests.connectors.recheck.web import (
    CHALLENGE,
    ELSEWHERE,
    ELSEWHERE_LED,
    FRONT_PAGE,
    GONE,
    HERE,
    LOGIN,
    NO_HOST,
    NOT_FOUND,
    OVERLOADED,
    PARKED,
    REMOVED,
    RETARGETED,
    ROBOTS,
    SHELL,
    SLUGGED,
    SOFT_404,
    START,
    THERE,
    TIMEOUT,
    WALL,
    Phase,
    Web,
    WebPage,
)
from tests.readmodel.projecting import database

DAYS = 30
STEP = timedelta(hours=6)
AGAIN_DAYS = 2
STAYS_AWAY = {
    "removed": REMOVED,
    "page_gone": NOT_FOUND,
    "retargeted": RETARGETED,
    "page_redirected": FRONT_PAGE,
}
"""What is found by a second look, by its reason."""


def _pages(chance: random.Random) -> dict[str, WebPage]:
    made: list[WebPage] = []
    there = Phase(0, THERE, is_there=True)
    for number in range(25):
        made.append(WebPage((there,), vendor_lost_day=chance.uniform(0, 25) if number % 2 else None))
        # Away for less than a second look takes, or not to be read for long.
        for answer, length in [(REMOVED, 0.9), (NOT_FOUND, 0.9), (NO_HOST, 6), (OVERLOADED, 10), (TIMEOUT, 20)]:
            begin = chance.uniform(0, 10)
            made.append(
                WebPage((there, Phase(begin, answer, is_there=True), Phase(begin + length, THERE, is_there=True)))
            )
        begin = chance.uniform(0, 12)
        wall = chance.choice([WALL, CHALLENGE, ROBOTS, SHELL, LOGIN, SLUGGED])
        made.append(
            WebPage((there, Phase(begin, wall, is_there=True)), vendor_lost_day=begin if number % 5 == 0 else None)
        )
        reason = chance.choice(list(STAYS_AWAY))
        made.append(WebPage((there, Phase(begin, STAYS_AWAY[reason], is_there=False)), reason))
        made.append(WebPage((there, Phase(begin, REMOVED, is_there=False)), "removed", vendor_lost_day=begin))
        made.append(WebPage((there, Phase(begin, chance.choice([GONE, SOFT_404]), is_there=False)), "page_gone"))
        made.append(WebPage((there, Phase(begin, ELSEWHERE_LED, is_there=False)), "page_redirected"))
        made.append(WebPage((there, Phase(begin, chance.choice([NO_HOST, PARKED]), is_there=False)), "domain_gone"))
        made.append(WebPage((there, Phase(chance.uniform(0, 5), OVERLOADED, is_there=False)), "page_error"))
    return {f"https://page{number}.example/post": page for number, page in enumerate(made)}


LOOKS_DAYS = {"domain_gone": 10.5, "page_error": 18.5}
"""How long the looks take that a loss needs, by its reason; the others need a day."""


@pytest.mark.long
async def test_no_false_loss_and_every_true_one(tmp_path: Path) -> None:
    """Vendors lie, and each poll may be the last one of its process, whose position is not saved."""
    chance = random.Random(1)
    pages = _pages(chance)
    web = Web(pages, made := database(tmp_path), tmp_path, again=f"{AGAIN_DAYS}d")
    state = RecheckState()
    while web.now < START + timedelta(days=DAYS):
        for url, page in pages.items():
            day = page.vendor_lost_day
            if day is not None and web.day - STEP / timedelta(days=1) < day <= web.day:
                web.lose(url)
        web.project()
        state = await web.run(state, is_killed=lambda: chance.random() < 0.1)
        web.now += STEP
    losses = [(at, event) for at, event in web.said if event.change == "lost"]
    for at, event in losses:
        page = pages[event.url_from]
        day = (at - START) / timedelta(days=1)
        assert not page.at(day).is_there, event
        assert event.lost_reason == page.lost_reason
    first = {event.url_from: (at - START) / timedelta(days=1) for at, event in reversed(losses)}
    for url, page in pages.items():
        if page.lost_reason is not None:
            begin = page.phases[1].from_day
            slack = AGAIN_DAYS + 1 + 2 * STEP / timedelta(days=1)
            assert url in first, (url, page)
            assert first[url] <= begin + slack + LOOKS_DAYS.get(page.lost_reason, 1), (url, page)
    rows = web.rows()
    assert {url: rows[url].is_live for url in pages} == {
        # A vendor's loss of a page that nobody can read stands.
        url: page.lost_reason is None and not (page.vendor_lost_day is not None and not _is_readable(page))
        for url, page in pages.items()
    }
    # A retargeted page is a link to the other article, from the time of the loss on.
    retargeted = {event.url_from for _, event in losses if event.lost_reason == "retargeted"}
    gained = {event.url_from for _, event in web.said if event.change == "gained" and event.url_to == ELSEWHERE}
    assert gained == retargeted != set()
    assert all(event.url_to in (HERE, ELSEWHERE) or event.change == "gained" for _, event in web.said)
    made.close()


def _is_readable(page: WebPage) -> bool:
    return page.phases[-1].answer in (THERE, SLUGGED)
