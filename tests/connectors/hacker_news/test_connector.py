"""Hacker News: which links items have, what a run asks for, and what it claims to have seen."""

import dataclasses
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flatline.domain.sites import Sites
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline.schema.site_record import SiteRecord
from flatline_connectors.hacker_news.connector import (
    OVERLAP,
    HackerNews,
    HackerNewsOptions,
    HackerNewsState,
)
from flatline_connectors.hacker_news.items import Item, events_of, hits_of
from flatline_connectors.runtime.connector import FoundRecord, MalformedPage
from flatline_connectors.runtime.own_sites import SitesUnknown
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.hacker_news import ADDRESS, HERE, HackerNewsWorld


async def run(
    world: HackerNewsWorld, state: HackerNewsState
) -> tuple[list[dict[str, Any]], HackerNewsState, datetime | None]:
    """Poll until all is read; return the events, the position, and how far was seen."""
    connector, events = HackerNews(world.options, world.resources()), []
    while True:
        result = await connector.poll(state, world.now)
        events += [msgspec.json.decode(each.value) for each in result.records if isinstance(each, FoundRecord)]
        state = result.state
        if result.is_complete:
            return events, state, result.seen_until


def events(**fields: Any) -> list[dict[str, Any]]:
    """Return the events of an item, the older half of all times being history."""
    raw = {"objectID": "7", "created_at_i": 1_772_000_000, "author": "somebody", **fields}
    (hit,) = hits_of(msgspec.json.encode({"hits": [raw]}))
    assert isinstance(hit.item, Item)
    found = events_of(
        hit.item,
        is_ours=on_sites(["yours.example"]),
        history_until_s=1_700_000_000,
        now=datetime.fromisoformat("2026-03-01T12:00:00Z"),
    )
    return [msgspec.to_builtins(event) for event in found]


def test_a_story_and_a_text() -> None:
    """A story's own link has its title as anchor, and nothing is said of its rel; links in its text say their own."""
    text = 'From <a href="https:&#x2F;&#x2F;blog.yours.example&#x2F;b" rel="nofollow">https:&#x2F;&#x2F;blog.y...</a>'
    in_text, own = events(title="A  story", url=f"{HERE}?q=1", story_text=text)
    assert (own["url_from"], own["url_to"]) == ("https://news.ycombinator.com/item?id=7", f"{HERE}?q=1")
    assert (own["anchor"], own["placement"], "rel" in own) == ("A story", "content", False)
    assert (in_text["url_to"], in_text["rel"]) == ("https://blog.yours.example/b", ["nofollow"])
    assert own["page"] == {
        "title": "A story",
        "author": "somebody",
        "published_at": "2026-02-25T06:13:20Z",
        "type": "story",
    }


def test_a_comment() -> None:
    """It is a page of its own, with the title of the story; other sites' links and mentions in words are none."""
    text = f'<a href="{HERE}">a</a> or <a href="https://yours.example.evil.example/">b</a> or yours.example'
    (event,) = events(comment_text=text, story_title="A story", story_url="https://yours.example/other", url=None)
    assert (event["url_to"], event["placement"], event["page"]["title"]) == (HERE, "comment", "A story")


def test_what_is_no_answer() -> None:
    """Neither a page of HTML, nor answers that are out of order, as the next page would leave something out."""
    for body in (b"<html>", b"[]", b'{"hits": 3}', b'{"hits": [{"created_at_i": 1, "objectID": "1"},'):
        with pytest.raises(Rejected, match="no list of hits"):
            hits_of(body)
    with pytest.raises(Rejected, match="not in order"):
        hits_of(b'{"hits": [{"created_at_i": 1, "objectID": "1"}, {"created_at_i": 2, "objectID": "2"}]}')


@settings(deadline=None)
@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=4))
def test_a_field_may_hold_anything(value: Any) -> None:
    """What is no text is none."""
    assert events(title=value, url=HERE, author=value, story_text=value)[0]["url_to"] == HERE
    assert len(events(url=value, comment_text=value, story_title=value)) == 0


async def test_the_first_run_is_history(tmp_path: Path) -> None:
    """What comes later is not; what is asked for again keeps its label; each site has its own beginning."""
    world = HackerNewsWorld(tmp_path)
    world.options = HackerNewsOptions(sites=["yours.example"])
    found, state, _ = await run(world, HackerNewsState())
    assert {event["discovery"] for event in found} == {"import"}
    world.now += timedelta(hours=1)
    world.story(4_000, world.now - timedelta(minutes=5))
    found, state, _ = await run(world, state)
    assert [event.get("discovery", "link_found") for event in found] == ["link_found"]
    world.options = HackerNewsOptions(sites=["yours.example", "other.example"])
    found, _, _ = await run(world, state)
    assert {(event["id"], event.get("discovery", "link_found")) for event in found} == {
        ("hn-2000", "import"),
        ("hn-4000", "link_found"),
    }


async def test_an_item_that_reaches_the_search_late_is_found(tmp_path: Path) -> None:
    """It is older than what is known already."""
    world = HackerNewsWorld(tmp_path)
    _, state, _ = await run(world, HackerNewsState())
    world.story(900, world.now - OVERLAP * 0.9)
    found, _, _ = await run(world, state)
    assert "hn-900" in {event["id"] for event in found}


async def test_it_has_seen_what_the_search_has(tmp_path: Path) -> None:
    """While the search stands still, what it claims does so, too."""
    world = HackerNewsWorld(tmp_path)
    newest = world.now - timedelta(minutes=1)
    _, state, seen_until = await run(world, HackerNewsState())
    world.now += timedelta(days=1)
    assert seen_until == (await run(world, state))[2] == newest


async def test_sites_of_site_records(tmp_path: Path) -> None:
    """They are searched for where the section names none; peers are not."""
    world = HackerNewsWorld(tmp_path)
    sites = Sites()
    for record in (SiteRecord("yours.example"), SiteRecord("other.example", role="peer")):
        sites.receive_record(record.domain.encode(), codec.sites.encode(record))
    resources = dataclasses.replace(world.resources(), sites=sites)
    connector = HackerNews(HackerNewsOptions(), resources)
    result = await connector.poll(HackerNewsState(), world.now)
    assert (result.state.turn, result.is_complete) == ("yours.example", False)
    while not result.is_complete:
        result = await connector.poll(result.state, world.now)
    assert set(result.state.sites) == {"yours.example"}


async def test_it_needs_sites_and_an_answer(tmp_path: Path) -> None:
    """Without sites nothing can be searched for; a search that has nothing at all is broken."""
    world = HackerNewsWorld(tmp_path)
    with pytest.raises(SitesUnknown, match="which sites are yours"):
        await HackerNews(HackerNewsOptions(), world.resources()).poll(HackerNewsState(), world.now)
    world.fetcher.pages[ADDRESS] = b'{"hits": []}'
    with pytest.raises(MalformedPage, match="how far it is"):
        await run(world, HackerNewsState())
