"""Rounds through feeds, of which some fail, move or end."""

from datetime import timedelta
from pathlib import Path

import pytest

from flatline_connectors.feeds.connector import GIVEN_UP_AFTER, Feeds, FeedsState
from flatline_connectors.fetching.outcomes import Fetched, Outcome
from flatline_connectors.runtime.connector import PollFailed, PollResult
from tests.connectors.runtime.worlds.feeds import SUMMARIES, WHOLE, FeedsWorld, feed, item, link


class Rounds:
    """A connector, and where it is. ``answers``: what the server says of an address in place of its page."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = FeedsWorld(folder)
        self.answers: dict[str, Fetched] = {}
        self.state = FeedsState()
        self.records = 0
        fetch = self.world.fetcher.fetch

        async def answer(url: str, **how: object) -> Fetched:
            if said := self.answers.get(url):
                self.world.fetcher.asked.append(url)
                return said
            return await fetch(url, **how)  # type: ignore[arg-type]

        monkeypatch.setattr(self.world.fetcher, "fetch", answer)
        self._feeds = Feeds(self.world.options, self.world.resources())

    async def round(self) -> PollResult[FeedsState]:
        """Poll to the end of a round, past what asks for patience."""
        self.world.fetcher.asked.clear()
        while True:
            try:
                result = await self._feeds.poll(self.state, self.world.now)
            except PollFailed:
                continue
            self.state = result.state
            self.records += len(list(result.records))
            if result.is_complete:
                return result


@pytest.fixture
def rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rounds:
    """Return a connector that was never run."""
    return Rounds(tmp_path, monkeypatch)


@pytest.mark.parametrize("outcome", [Outcome.SERVER_ERROR, Outcome.RATE_LIMITED, Outcome.NOT_FOUND])
async def test_a_feed_that_fails_holds_back_no_other(rounds: Rounds, outcome: Outcome) -> None:
    """The others are read; but nobody may claim that all was seen, until the feed was given up."""
    rounds.answers[SUMMARIES] = Fetched(outcome, SUMMARIES, status=500)
    assert (await rounds.round()).seen_until is None
    assert rounds.records == 2
    assert rounds.world.fetcher.asked.count(SUMMARIES) == (1 if outcome is Outcome.NOT_FOUND else 2)
    rounds.world.now += GIVEN_UP_AFTER
    assert (await rounds.round()).seen_until == rounds.world.now
    rounds.answers.clear()
    assert (await rounds.round()).seen_until == rounds.world.now
    assert rounds.records == 3


async def test_a_feed_that_is_gone_is_not_asked_for_again(rounds: Rounds) -> None:
    """410 is for good, and holds nothing back."""
    rounds.answers[WHOLE] = Fetched(Outcome.GONE, WHOLE, status=410)
    for _ in range(2):
        assert (await rounds.round()).seen_until == rounds.world.now
    assert WHOLE not in rounds.world.fetcher.asked


async def test_a_feed_that_moved_for_good_is_asked_for_where_it_is(rounds: Rounds) -> None:
    """Its entries stay those that were seen."""
    moved = "https://whole.example/new-feed"
    body = rounds.world.fetcher.pages[WHOLE]
    assert isinstance(body, bytes)
    rounds.answers[WHOLE] = Fetched(Outcome.FETCHED, moved, status=200, body=body, is_moved=True)
    await rounds.round()
    found = rounds.records
    rounds.world.fetcher.pages[moved] = feed(item("https://whole.example/1", link("a") + link("b")))
    await rounds.round()
    assert moved in rounds.world.fetcher.asked
    assert WHOLE not in rounds.world.fetcher.asked
    assert rounds.records == found


async def test_what_did_not_change_is_not_read_again(rounds: Rounds) -> None:
    """304 is a reading, too: it finds nothing, and all was seen."""
    await rounds.round()
    found = rounds.records
    rounds.world.now += timedelta(hours=1)
    assert (await rounds.round()).seen_until == rounds.world.now
    assert rounds.records == found
    assert sorted(rounds.world.fetcher.asked) == [SUMMARIES, WHOLE]


async def test_a_page_that_fails_is_tried_three_times(rounds: Rounds) -> None:
    """Once in each round; then it is left alone."""
    page = "https://summaries.example/1"
    rounds.answers[page] = Fetched(Outcome.TIMED_OUT, page)
    asked = 0
    for _ in range(5):
        await rounds.round()
        asked += rounds.world.fetcher.asked.count(page)
    assert asked == 3
