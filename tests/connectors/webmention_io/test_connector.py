"""The pull API of webmention.io: which position follows from which answers."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flatline_connectors.fetching.outcomes import Action, Fetched, Outcome
from flatline_connectors.runtime.config import Secret
from flatline_connectors.runtime.connector import FoundRecord, PollFailed
from flatline_connectors.webmention_io.connector import OVERLAP, WebmentionIo, WebmentionIoOptions, WebmentionIoState
from tests.connectors.runtime.worlds.webmention_io import ADDRESS, WebmentionIoWorld
from tests.connectors.webmention_io.test_mentions import NOW, SAMPLES, with_samples


def connector(world: WebmentionIoWorld, options: WebmentionIoOptions = WebmentionIoWorld.options) -> WebmentionIo:
    """Return the connector of a world."""
    return WebmentionIo(options, world.resources())


async def run(world: WebmentionIoWorld, state: WebmentionIoState) -> tuple[list[dict[str, Any]], WebmentionIoState]:
    """Poll until all is read; return the events and the position."""
    events = []
    while True:
        result = await connector(world).poll(state, world.now)
        events += [msgspec.json.decode(each.value) for each in result.records if isinstance(each, FoundRecord)]
        state = result.state
        if result.is_complete:
            return events, state


@with_samples
async def test_the_sample(tmp_path: Path) -> None:
    """The position after the sample is its last mention."""
    world = WebmentionIoWorld(tmp_path)
    world.fetcher.pages[ADDRESS] = (SAMPLES / "webmention_io_mentions.jf2.json").read_bytes()
    result = await connector(world).poll(WebmentionIoState(), NOW)
    assert (result.state.since_id, result.is_complete) == (1_900_003, True)


async def test_a_mention_that_is_verified_late_is_found(tmp_path: Path) -> None:
    """It comes with a lower number than those that are known; nothing comes twice."""
    world = WebmentionIoWorld(tmp_path)
    recent = (world.now - OVERLAP / 2).isoformat()
    world.mention(2_000, recent)
    events, state = await run(world, WebmentionIoState())
    assert {event["discovery"] for event in events} == {"import"}
    world.mention(1_999, recent)
    events, state = await run(world, state)
    assert [(event["url_from"], event.get("discovery")) for event in events] == [("https://a.example/1999", None)]
    assert (await run(world, state))[0] == []
    world.now += 2 * OVERLAP
    events, state = await run(world, state)
    assert (events, state.since_id, state.recent) == ([], 2_000, frozenset())


@pytest.mark.parametrize("outcome", [Outcome.DENIED, Outcome.REFUSED])
async def test_a_token_that_is_not_accepted(outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connector stops, and says nothing of the token."""
    world = WebmentionIoWorld(tmp_path)

    async def refuse(url: str, **_how: object) -> Fetched:
        return Fetched(outcome, url, status=401, detail=f"401 for {url}")

    monkeypatch.setattr(world.fetcher, "fetch", refuse)
    with pytest.raises(PollFailed) as failed:
        await connector(world).poll(WebmentionIoState(), world.now)
    assert failed.value.action is Action.STOP
    assert "the token" not in str(failed.value).replace("accept the token", "")


async def test_an_account_with_several_sites(tmp_path: Path) -> None:
    """The service is asked for one of them only."""
    world = WebmentionIoWorld(tmp_path)
    options = WebmentionIoOptions(token=Secret(file="token"), domain="yours.example", server="https://wm.example/")
    answer: Callable[[str], bytes] = world.fetcher.pages.pop(ADDRESS)  # type: ignore[assignment]
    world.fetcher.pages["https://wm.example/api/mentions.jf2"] = answer
    await connector(world, options).poll(WebmentionIoState(), world.now + timedelta(days=1))
    (asked,) = world.fetcher.asked
    assert "domain=yours.example" in asked
