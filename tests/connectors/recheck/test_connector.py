"""The connector: what comes first, what a budget cuts off, and what it asks the API for."""

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from flatline.api.access import access_of
from flatline.schema.link_event import LinkEvent
from flatline_connectors.errors import ConnectorError
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.recheck.connector import Recheck, RecheckState
from flatline_connectors.recheck.known_links import CursorExpired, KnownLinks, listings
from flatline_connectors.runtime.connector import PollFailed
from flatline_connectors.runtime.outcomes import BudgetExhausted
from flatline_connectors.runtime.own_api import ask_own_api
from tests.api.answering import of_log, serving
from tests.connectors.recheck.web import HERE, OLD, REMOVED, START, THERE, Phase, Web, WebPage
from tests.readmodel.projecting import Log, database

LIVE = WebPage((Phase(0, THERE, is_there=True),))
AWAY = WebPage((Phase(0, REMOVED, is_there=False),), "removed")


def _url(name: object) -> str:
    return f"https://{name}.example/post"


async def test_what_is_urgent_comes_first_whatever_the_budget(tmp_path: Path) -> None:
    """Losses that others report, then suspicions, then what was seen longest ago; each budget goes on where it must."""
    names = [f"old{number:02}" for number in range(30)]
    web = Web({_url(name): LIVE for name in [*names, "lost", "doubted"]}, made := database(tmp_path), tmp_path)
    web.lose(_url("lost"))
    web.say(LinkEvent(_url("doubted"), HERE, change="suspected", occurred_at=START, source="crawler"))
    web.project()
    state = RecheckState()
    looked: list[list[str]] = []
    for _ in range(4):
        web.fetches_left, before = 10, len(web.said)
        state = await web.run(state)
        looked.append([event.url_from for _, event in web.said[before:]])
        web.now += timedelta(days=1)
    assert looked[0][:2] == [_url("lost"), _url("doubted")]
    assert [len(each) for each in looked] == [10, 10, 10, 2]
    assert sorted(url for each in looked for url in each) == sorted(web.pages)
    assert web.rows()[_url("lost")].is_live
    made.close()


async def test_a_budget_that_is_spent_says_so(tmp_path: Path) -> None:
    """Nothing was fetched, and the runtime waits for the next period."""
    web = Web({_url("a"): LIVE}, made := database(tmp_path), tmp_path)
    web.project()
    web.fetches_left = 0
    connector, state = Recheck(web.options, web.resources), RecheckState()
    for _ in ("losses", "suspects"):
        state = (await connector.poll(state, web.now)).state
    with pytest.raises(BudgetExhausted):
        await connector.poll(state, web.now)
    made.close()


async def test_a_loss_is_confirmed_once_and_keeps_its_date(tmp_path: Path) -> None:
    """What a vendor calls lost, and is, has our word for it after a second look; then nobody looks again."""
    web = Web({_url("a"): AWAY}, made := database(tmp_path), tmp_path)
    web.lose(_url("a"))
    web.project()
    lost_at = web.rows()[_url("a")].changed_at
    state = RecheckState()
    for _ in range(10):
        state = await web.run(state)
        web.now += timedelta(hours=12)
    assert [(event.change, event.lost_reason, event.occurred_at) for _, event in web.said] == [
        ("lost", "removed", lost_at)
    ]
    assert web.fetches == 2
    [row] = web.rows().values()
    assert (row.is_live, row.changed_at, row.lost_reason) == (False, lost_at, "removed")
    web.say(LinkEvent(_url("a"), HERE, occurred_at=web.now, source="crawler"))
    web.project()
    assert web.rows()[_url("a")].is_live, "who sees it later is right"
    made.close()


async def test_lists_and_articles_of_others_are_left_alone(tmp_path: Path) -> None:
    """A link wanders through the pages of a list: none of them has lost it."""
    web = Web(
        {"https://a.example/page/2": AWAY, "https://a.example/tag/fruit": AWAY}, made := database(tmp_path), tmp_path
    )
    web.say(LinkEvent(_url("b"), "https://peer.example/a", occurred_at=OLD, source="crawler"))
    web.project()
    await web.run(RecheckState())
    assert (web.fetches, web.said) == (0, [])
    made.close()


async def test_what_it_says_of_a_live_link(tmp_path: Path) -> None:
    """Its anchor, place and surroundings; when it appeared stays."""
    web = Web({_url("a"): LIVE}, made := database(tmp_path), tmp_path)
    web.project()
    await web.run(RecheckState())
    [row] = web.rows().values()
    assert (row.anchor, row.placement, row.rel, row.context) == ("guide", "content", [], "Our guide.")
    assert (row.page.title, row.first_gained_at, row.changed_at) == ("A post", OLD, web.now)
    assert web.fetches == 1
    made.close()


async def test_the_api_knows_these_lists(tmp_path: Path) -> None:
    """Each as `flatline serve` answers it, by its address; a cursor of a former read model expires."""
    log, old = Log(), START - timedelta(days=200)
    log.say(*(LinkEvent(_url(number), HERE, occurred_at=old, source="vendor") for number in range(25)))
    log.say(LinkEvent(_url(0), HERE, change="lost", occurred_at=START, source="vendor"))
    log.say(LinkEvent(_url(1), HERE, change="suspected", occurred_at=START, source="vendor"))
    made = of_log(log, database(tmp_path))
    async with serving(made, tmp_path) as client:
        links = KnownLinks(ask_own_api, f"http://{client.host}:{client.port}/", None)
        found = {}
        for name, listing in listings(START, losses=timedelta(days=90), again=timedelta(days=30)).items():
            page = await links.page(listing, None)
            rows = page.rows
            if page.next is not None:
                rows = rows + (await links.page(listing, page.next)).rows
            found[name] = [link.url_from for link in rows]
            assert not any(listing.is_beyond(link) for link in rows)
        assert found["losses"] == [_url(0)]
        assert found["suspects"] == [_url(1)]
        assert sorted(found["oldest"]) == sorted(_url(number) for number in range(1, 25))
        with pytest.raises(CursorExpired):
            await links.page(listing, "former")
        with pytest.raises(PollFailed, match="HTTP status 404"):
            await KnownLinks(ask_own_api, f"http://{client.host}:{client.port}/elsewhere", None).page(listing, None)
    with pytest.raises(OSError, match="Cannot connect"):
        await links.page(listing, None)
    (tmp_path / "tokens").write_text("recheck:s3cr3t-but-long-enough\n")
    async with serving(made, tmp_path, access_of(tmp_path / "tokens")) as client:
        at = f"http://{client.host}:{client.port}"
        assert (await KnownLinks(ask_own_api, at, "s3cr3t-but-long-enough").page(listing, None)).rows
        with pytest.raises(PollFailed, match="refuses the token") as refused:
            await KnownLinks(ask_own_api, at, "wrong").page(listing, None)
        assert refused.value.action is Action.STOP
    made.close()


def test_its_own_losses_are_confirmed_by_nobody(tmp_path: Path) -> None:
    """What would make suspicions of them is refused at the start, not found out when no loss ever comes."""
    web = Web({}, made := database(tmp_path), tmp_path)
    with pytest.raises(ConnectorError, match="confirm_losses"):
        Recheck(replace(web.options, confirm_losses=True), web.resources)
    made.close()
