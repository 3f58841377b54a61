"""Crossref and DataCite: which links their events are, what is asked for, and what a deletion is."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from flatline.schema.rejection import Rejected
from flatline_connectors.doi_events.connector import CrossrefOptions, DataciteOptions, DoiEventsState
from flatline_connectors.doi_events.events import DoiEvent, ReadPage, event_of, read_crossref, read_datacite
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.sites import on_sites
from tests.connectors.runtime.worlds.doi_events import DOI, HERE, CrossrefWorld, DataciteWorld
from tests.samples import SAMPLES, with_samples

with_worlds = pytest.mark.parametrize("make", [CrossrefWorld, DataciteWorld])


async def run(
    world: CrossrefWorld | DataciteWorld, state: DoiEventsState
) -> tuple[list[dict[str, Any]], DoiEventsState]:
    """Poll until all is read; return the events, and the position."""
    connector, events = world.kind.open(world.options, world.resources()), []
    for _ in range(100):
        result = await connector.poll(state, world.now)
        events += [msgspec.json.decode(each.value) for each in result.records if isinstance(each, FoundRecord)]
        state = result.state
        if result.is_complete:
            return events, state
    raise AssertionError("it does not end")


def changes(page: ReadPage, *sites: str) -> list[tuple[str, str, str, str | None] | None]:
    """Return what the events of a page change."""
    found = []
    for _, said in page.events:
        assert isinstance(said, DoiEvent)
        event = event_of(said, is_ours=on_sites(sites), is_history=False)
        found.append(event and (event.change, event.url_from, event.url_to, event.lost_reason))
    return found


@with_samples
def test_the_sample_of_crossref() -> None:
    """Two agents report one link, one event was edited, and one was a mistake."""
    page = read_crossref((SAMPLES / "crossref_events.json").read_bytes())
    here = "https://pub.example/guides/slow-tomatoes"
    assert changes(page, "pub.example") == [
        ("gained", "https://notes.example/2026/slow", here, None),
        ("gained", "https://notes.example/2026/slow", here, None),
        ("gained", "https://en.wiki.example/wiki/Tomato", here, None),
        ("lost", "https://wrong.example/x", here, "retracted"),
    ]
    assert changes(page, "other.example")[0] == (
        "gained",
        "https://notes.example/2026/slow",
        "https://doi.org/10.5555/sample-1",
        None,
    )
    assert page.cursor == "00000000-1111-2222-3333-444444444444"


@with_samples
def test_the_sample_of_datacite() -> None:
    """What one publication says of another is no link of a page."""
    page = read_datacite((SAMPLES / "datacite_events.json").read_bytes())
    doi = "https://doi.org/10.5555/sample-1"
    assert changes(page) == [
        ("gained", "https://notes.example/2026/slow", doi, None),
        None,
        ("lost", "https://old.example/p", doi, "retracted"),
    ]
    assert page.cursor == "MTY5"


@with_worlds
async def test_what_was_a_mistake_is_retracted(make: Callable[[Path], CrossrefWorld], tmp_path: Path) -> None:
    """Once it is known; what nobody changed for days is not sent again, and the first run is history."""
    world = make(tmp_path)
    found, state = await run(world, DoiEventsState())
    assert {event["discovery"] for event in found} == {"import"}
    world.now += timedelta(days=10)
    world.mention("later", world.now - timedelta(days=1))
    world.delete("3")
    found, _ = await run(world, state)
    told = {(event["url_from"].rpartition("/")[2], event.get("change"), event.get("lost_reason")) for event in found}
    again = {("1", None, None), ("2", None, None)}  # of the two days before the first run
    assert told == {("3", "lost", "retracted"), ("later", None, None), *again}
    assert {event["url_to"] for event in found} == {world.target}


@with_worlds
async def test_a_cursor_that_is_too_old_begins_the_question_anew(
    make: Callable[[Path], CrossrefWorld], tmp_path: Path
) -> None:
    """Otherwise it would never end."""
    world = make(tmp_path)
    connector = world.kind.open(world.options, world.resources())
    result = await connector.poll(DoiEventsState(), world.now)
    assert result.state.cursor
    world.age += 1
    found, _ = await run(world, result.state)
    assert {("link", event["url_from"], event["url_to"], "") for event in found} == world.records


async def test_what_crossref_is_asked_for(tmp_path: Path) -> None:
    """Without prefixes, for landing pages; updates since the last complete run, or since now."""
    world = CrossrefWorld(tmp_path)
    world.options = CrossrefOptions(sites=["yours.example"])  # type: ignore[misc]
    _, state = await run(world, DoiEventsState())
    world.fetcher.asked, first = [], world.fetcher.asked
    world.now += timedelta(days=30)
    await run(world, state)
    asked = [[dict(parse_qsl(urlsplit(url).query)) for url in urls] for urls in (first, world.fetcher.asked)]
    assert all(query["obj.url.domain"] == "yours.example" for queries in asked for query in queries)
    assert [asked[0][0].get("from-collected-date"), asked[0][-1].get("from-updated-date")] == [None, "2026-03-01"]
    assert [asked[1][0].get("from-collected-date"), asked[1][-1].get("from-updated-date")] == ["2026-02-27"] * 2


@pytest.mark.parametrize("read", [read_crossref, read_datacite])
def test_what_is_no_answer(read: Callable[[bytes], ReadPage]) -> None:
    """Each is said to be none."""
    for body in (b"<html>", b"[]", b'{"message": {"events": 3}}', b'{"data": {}}', b"{" * 100_000):
        with pytest.raises(Rejected, match="no list of events"):
            read(body)


def test_an_event_that_can_not_be_read_is_alone() -> None:
    """The others on its page are read."""
    good = CrossrefWorld.event(None, "1", "https://notes.example/1", CrossrefWorld.now)  # type: ignore[arg-type]
    bad = [{**good, "occurred_at": "soon"}, {**good, "subj": []}, 3]
    page = read_crossref(msgspec.json.encode({"message": {"next-cursor": None, "events": [*bad, good]}}))
    assert [isinstance(said, Rejected) for _, said in page.events] == [True, True, True, False]
    assert (page.cursor, DOI, HERE) == (None, good["obj_id"], good["obj"]["url"])


def test_datacite_needs_prefixes() -> None:
    """It would be asked for all that there is."""
    with pytest.raises(msgspec.ValidationError, match="prefixes"):
        msgspec.convert({"kind": "datacite"}, DataciteOptions)
    with pytest.raises(msgspec.ValidationError, match="prefixes"):
        msgspec.convert({"kind": "datacite", "prefixes": ["yours.example"]}, DataciteOptions)
