"""Bing: which links are new although it has no dates, pages that it does not know, and a key in the address."""

import asyncio
import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.rejection import Rejected
from flatline_connectors.bing import connector as bing
from flatline_connectors.bing.answers import read_error, read_linked_pages, read_links
from flatline_connectors.bing.connector import Bing, BingState
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.runtime.cost import cost_in_words
from flatline_connectors.vendors.requests import THROTTLED_S
from tests.connectors.api_over_http import BROKEN, PAGE, THROTTLED, Scripted, run_over_http
from tests.connectors.runtime.contract import completed, process_of
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.bing import KEY, ROWS, SITE, BingWorld, error
from tests.samples import SAMPLES, with_samples

FORMS_OF_KEY = (KEY, quote(KEY, safe=""))


@pytest.fixture
def world(tmp_path: Path) -> BingWorld:
    """Return a fresh one."""
    return BingWorld(tmp_path)


@with_samples
def test_the_samples() -> None:
    """Which pages have links, the links of one of them, and an error."""
    counts = read_linked_pages((SAMPLES / "bing_getlinkcounts.json").read_bytes())
    guide, interview = "https://pub.example/guides/slow-tomatoes", "https://pub.example/interviews/ada-okoro"
    assert counts == ([guide, interview], False, 1)
    links = read_links((SAMPLES / "bing_geturllinks.json").read_bytes())
    rows = msgspec.json.decode(links.body(guide))
    assert [(row["Source Url"], row["Anchor text"], row["Target Url"]) for row in rows] == [
        ("https://www.garden-news.example/ten-patient-vegetables", "slow tomato guide", guide),
        ("https://img.example/pin/7", "", guide),
        ("http://forum.beet.example/t/812", None, guide),
    ]
    assert links.pages == 3
    said = read_error((SAMPLES / "bing_error.json").read_bytes())
    assert said == ("ERROR!!! InvalidUrl (7)", Action.SKIP, None)


async def events(world: BingWorld, state: BingState) -> tuple[dict[str, str], BingState]:
    """Poll until all is read; return how each link was discovered, by its anchor, and the position."""
    connector, found = Bing(world.options, world.resources()), dict[str, str]()
    while True:
        result = await connector.poll(state, world.now)
        for each in result.records:
            assert isinstance(each, FoundRecord)
            event = msgspec.json.decode(each.value)
            assert event["anchor"] not in found
            assert "rel" not in event  # it is unknown, which is not "followed"
            found[event["anchor"]] = event["discovery"]
        state = result.state
        if result.is_complete:
            return found, state


async def test_what_is_new(world: BingWorld) -> None:
    """All is history at first; later what was not there. What is missing for a while is neither lost nor new."""
    found, state = await events(world, BingState())
    assert set(found.values()) == {"import"}
    assert len(found) == len(world.records)
    world.add()
    hidden = world.index.links[f"{SITE}3"]
    world.index.links[f"{SITE}3"] = []
    found, state = await events(world, state)
    assert found == {"late": "page_found", "first": "page_found"}
    world.index.links[f"{SITE}3"] = hidden
    assert await events(world, state) == ({}, state)


async def test_a_site_that_is_added_later_has_history_of_its_own(world: BingWorld) -> None:
    """The first pull of each site is history, also if that of another is over."""
    _, state = await events(world, BingState())
    state = msgspec.structs.replace(state, read=("https://another.example/",), known={})
    found, _ = await events(world, state)
    assert set(found.values()) == {"import"}


@given(moves=st.lists(st.tuples(st.booleans(), st.integers(min_value=0, max_value=8)), max_size=12))
def test_nothing_is_missed_or_sent_twice(moves: list[tuple[bool, int]]) -> None:
    """Links appear and vanish between any two pages, which moves pages and rows. A run in peace finds the rest."""
    with TemporaryDirectory() as folder:
        world, kafka, pending = BingWorld(Path(folder)), Kafka(), [*moves]
        answer, vanished = world.index.answer, set()

        def moving(url: str) -> bytes:
            body = answer(url)
            if pending:
                appears, number = pending.pop()
                url_to = f"{SITE}{number}"
                if appears:
                    world.link(f"new{len(pending)}", url_to)
                elif world.index.links.get(url_to):
                    vanished.add(("link", world.index.links[url_to].pop(0)["Url"], url_to, ""))
            return body

        world.fetcher.pages = dict.fromkeys(world.fetcher.pages, moving)
        completed(world, kafka)
        while pending:
            completed(world, kafka)
        completed(world, kafka)
        assert world.records - vanished <= set(kafka.records) <= world.records
        assert len(kafka.records) == len(set(kafka.records))


def test_a_page_that_bing_does_not_know_is_skipped(world: BingWorld) -> None:
    """It is counted as rejected, and all others are read."""
    gone = f"{SITE}0"
    world.index.gone.add(gone)
    kafka = Kafka()
    process = completed(world, kafka)
    assert set(kafka.records) == {name for name in world.records if name[2] != gone}
    (letter,) = kafka.letters
    assert (letter.value, letter.origin["target"]) == (gone.encode(), gone)
    assert "InvalidUrl (7)" in letter.rejected.detail
    labels = {"connector": "mine", "reason": letter.rejected.reason}
    assert process.registry.get_sample_value("flatline_connector_rejected_total", labels) == 1


def test_a_malformed_page_of_links_holds_up_no_others(world: BingWorld) -> None:
    """Also if it is the last one: the run ends, and the next one begins at the list."""
    last = world.index.links.keys() - {f"{SITE}0"}
    answer = world.index.answer
    broken = f"link={quote(max(last), safe='')}"
    world.fetcher.pages = dict.fromkeys(
        world.fetcher.pages, lambda url: b'{"d":{"Details":7}}' if broken in url else answer(url)
    )
    kafka = Kafka()
    completed(world, kafka)
    assert set(kafka.records) == {name for name in world.records if name[2] != max(last)}
    assert len(kafka.letters) == 1
    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, answer)
    completed(world, kafka)
    assert set(kafka.records) == world.records


def test_a_page_with_too_many_links(world: BingWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many are read as a position has room for; run after run the same."""
    monkeypatch.setattr(bing, "LINKS_MAX", 2 * ROWS - 1)
    kafka = Kafka()
    for _ in range(2):
        completed(world, kafka)
        assert sum(name[2] == f"{SITE}0" for name in kafka.records) == 2 * ROWS - 1


def test_a_list_that_says_too_many_pages_ends(world: BingWorld) -> None:
    """An empty page is the last one."""
    answer = world.index.answer

    def endless(url: str) -> bytes:
        page = msgspec.json.decode(answer(url))
        page["d"]["TotalPages"] = 1_000_000
        return msgspec.json.encode(page)

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, endless)
    kafka = Kafka()
    completed(world, kafka)
    assert set(kafka.records) == world.records


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"d":7}', b'{"d":{"Details":{"a":1}}}', b"\xff"])
def test_answers_that_are_none(body: bytes) -> None:
    """They are refused as a whole."""
    with pytest.raises(Rejected):
        read_links(body)


async def run(world: BingWorld, *script: Scripted | None) -> Process:
    """Run the connector once over HTTP. The key stands in the address, where the index itself checks it."""

    def answering(path: str) -> tuple[bytes, dict[str, str]]:
        return world.index.answer(path), {}

    return await run_over_http(world, answering, *script, credentials={})


def refusal(code: int, message: str, status: int = 200) -> Scripted:
    """Return an error with whatever HTTP status."""
    return status, {}, error(code, message).decode()


async def test_what_passes_is_overcome(world: BingWorld) -> None:
    """Throttling and faults, by HTTP status or by the code in an answer, also in the middle."""
    script = THROTTLED, refusal(1, "InternalError"), PAGE, PAGE, BROKEN, refusal(4, "ThrottleUser", 400)
    process = await run(world, *script)
    assert process.runner.status.outcome == "completed", process.runner.status.detail
    assert set(process.kafka.records) == world.records
    assert len(process.pauses) == 4
    assert process.pauses[3] >= THROTTLED_S


async def test_a_page_is_skipped_whatever_the_status(world: BingWorld) -> None:
    """Errors may come with 500, which otherwise passes."""
    process = await run(world, PAGE, refusal(7, "InvalidUrl", 500))
    assert process.runner.status.outcome == "completed"
    assert len(process.kafka.letters) == 1


@pytest.mark.parametrize("repeated", FORMS_OF_KEY)
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (refusal(14, "NotAuthorized KEY"), "stopped"),
        (refusal(16, "Deprecated KEY"), "waiting"),
        (refusal(7, "InvalidUrl KEY"), "stopped"),
        ((200, {}, '{"you":"asked for KEY"}'), "failed"),
        ((200, {}, "<html>KEY"), "failed"),
        ((302, {"Location": "https://yours.example/?apikey=KEY"}, ""), "failed"),
        ((403, {}, '{"error":"no KEY"}'), "failed"),
    ],
)
async def test_the_key_is_nowhere(
    world: BingWorld, answer: Scripted, outcome: str, repeated: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in what is said of a run, nor in dead letters and their origin, nor in any log."""
    status, headers, body = answer
    headers = {name: said.replace("KEY", repeated) for name, said in headers.items()}
    with caplog.at_level(logging.DEBUG):
        process = await run(world, (status, headers, body.replace("KEY", repeated)))
    assert process.runner.status.outcome == outcome
    letters = [(letter.value.decode(), letter.rejected.detail, letter.origin) for letter in process.kafka.letters]
    said = f"{process.runner.status.detail} {letters} {[record.getMessage() for record in caplog.records]}"
    assert not any(form in said for form in FORMS_OF_KEY)
    assert not process.kafka.records


async def test_a_wrong_key_stops_it(world: BingWorld, tmp_path: Path) -> None:
    """It is not repeated, although the server does."""
    (tmp_path / "key").write_text("wrong-key")
    process = await run(world)
    assert process.runner.status.outcome == "stopped"
    assert "InvalidApiKey" in process.runner.status.detail
    assert "wrong-key" not in process.runner.status.detail


def test_a_site_that_is_not_verified(world: BingWorld) -> None:
    """Its address may have another form there."""
    world.options = msgspec.structs.replace(world.options, targets=("http://www.yours.example/",))
    process = process_of(world, Kafka())
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "stopped"
    assert "is http://www.yours.example/ verified there in this form?" in process.runner.status.detail


def test_what_a_run_costs(world: BingWorld) -> None:
    """No money; the requests depend on how many pages have links."""
    said = " ".join(cost_in_words(Bing(world.options, world.resources()).cost_of_run(), world.options))
    assert "Bing charges nothing." in said
    completed(world, Kafka())
    lists, links = ([asked for asked in world.index.asked if ("link" in asked) is has] for has in (False, True))
    assert (len(lists), len(links)) == (3, 3 + 2 * ROWS)
