"""Majestic: which links its rows are, walks that are disturbed, a key that stands in the address, and what it costs."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.rejection import Rejected
from flatline_connectors.majestic.answers import FORMAT, read_page
from flatline_connectors.majestic.connector import Majestic
from flatline_connectors.runtime.config import Budget
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.runtime.cost import cost_in_words, day_cost
from flatline_connectors.sites import on_sites
from flatline_connectors.vendors.records import records_of
from tests.connectors.api_over_http import BROKEN, PAGE, THROTTLED, Scripted, emptied, run_over_http
from tests.connectors.runtime.contract import completed, process_of
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.majestic import HERE, KEY, NOW, ROWS, MajesticWorld, error
from tests.samples import SAMPLES, with_samples

FORMS_OF_KEY = (KEY, quote(KEY, safe=""))


@pytest.fixture
def world(tmp_path: Path) -> MajesticWorld:
    """Return a fresh one."""
    return MajesticWorld(tmp_path)


@with_samples
def test_the_sample() -> None:
    """A link, a lost one with its date, and one of an image."""
    body = (SAMPLES / "majestic_getbacklinkdata.json").read_bytes()
    found = records_of(
        body,
        FORMAT,
        rows=3,
        pulled_at=datetime(2026, 11, 26, tzinfo=UTC),
        history_before=datetime(2026, 11, 1, tzinfo=UTC),
        is_ours=on_sites(["pub.example"]),
        origin={},
    )
    events = [msgspec.json.decode(each.value) for each in found if isinstance(each, FoundRecord)]
    assert [
        (each["url_from"].split("/")[2], each.get("change", "gained"), each["discovery"], each["observed_at"][:10])
        for each in events
    ] == [
        ("www.garden-news.example", "gained", "page_found", "2026-11-20"),
        ("podcast.example", "gained", "import", "2026-06-01"),
        ("podcast.example", "lost", "import", "2026-11-18"),
        ("img.example", "gained", "page_found", "2026-11-21"),
    ]
    page = read_page(body)
    assert (page.rows, page.total, page.charged) == (3, 3, None)


moves = st.lists(st.tuples(st.sampled_from(["appears", "vanishes"]), st.integers(min_value=1, max_value=4)), max_size=8)


@given(count=st.integers(min_value=0, max_value=60), moves=moves, says_totals=st.booleans())
def test_what_a_walk_misses_the_next_one_finds(count: int, moves: list[tuple[str, int]], says_totals: bool) -> None:
    """Rows move up and down between any two pages. The walk ends, invents nothing, and one in peace finds all."""
    with TemporaryDirectory() as folder:
        world, kafka, pending = emptied(MajesticWorld(Path(folder))), Kafka(), [*moves]
        world.index.says_totals = says_totals
        for number in range(count):
            world.link(f"link{number}", NOW - timedelta(days=number), trust=number)
        answer, vanished = world.index.answer, set()

        def moving(url: str) -> bytes:
            page = answer(url)
            what, rows = pending.pop(0) if pending else ("nothing", 0)
            best = sorted(world.index.rows, key=lambda row: -row["SourceTrustFlow"])[:rows]
            for row in best if what == "vanishes" else []:
                world.index.rows.remove(row)
                vanished.add(("link", row["SourceURL"], HERE, ""))
            for number in range(rows if what == "appears" else 0):
                world.link(f"new{len(pending)}-{number}", NOW, trust=70)
            return page

        world.fetcher.pages = dict.fromkeys(world.fetcher.pages, moving)
        completed(world, kafka)
        while pending:
            completed(world, kafka)
        completed(world, kafka)
        assert world.records - vanished <= set(kafka.records) <= world.records


@pytest.mark.parametrize("says_totals", [True, False])
def test_a_plan_may_cut_pages_off(world: MajesticWorld, *, says_totals: bool) -> None:
    """If the total says that there is more, it goes on. Without a total a short page is the last one."""
    world.index.says_totals, answer = says_totals, world.index.answer
    cut = 7
    world.fetcher.pages = dict.fromkeys(
        world.fetcher.pages, lambda url: answer(url.replace(f"Count={ROWS}", f"Count={cut}"))
    )
    kafka = Kafka()
    completed(world, kafka)
    assert (set(kafka.records) == world.records) is says_totals


@pytest.mark.parametrize("says_totals", [True, False])
def test_a_server_that_ignores_the_offset_ends_the_run(world: MajesticWorld, *, says_totals: bool) -> None:
    """It would pay for the same page for ever."""
    world.index.says_totals, answer = says_totals, world.index.answer
    world.fetcher.pages = dict.fromkeys(
        world.fetcher.pages, lambda url: answer(url.replace("From=10", "From=0").replace("From=20", "From=0"))
    )
    process = process_of(world, Kafka())
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "waiting"
    assert len(world.index.asked) == 2


async def test_what_is_history(tmp_path: Path) -> None:
    """In the first run what was seen two weeks before; later what was seen two weeks before the last walk."""
    world, state = emptied(MajesticWorld(tmp_path)), MajesticWorld.kind.state()
    world.link("old", NOW - timedelta(days=20))
    world.link("young", NOW - timedelta(days=10))
    connector = Majestic(world.options, world.resources())
    first = await connector.poll(state, world.now)
    world.now += timedelta(days=60)
    world.link("missed", NOW + timedelta(days=2))
    second = await connector.poll(first.state, world.now)
    said = [
        {event["anchor"]: event["discovery"] for each in result.records if isinstance(each, FoundRecord)
         and (event := msgspec.json.decode(each.value))}
        for result in (first, second)
    ]  # fmt: skip
    assert said[0] == {"old": "import", "young": "page_found"}
    assert said[1] == {"old": "import", "young": "page_found", "missed": "page_found"}


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"DataTables":{"BackLinks":{"Data":{}}}}', b"\xff"])
def test_answers_that_are_none(body: bytes) -> None:
    """They are refused as a whole."""
    with pytest.raises(Rejected):
        read_page(body)


async def run(world: MajesticWorld, *script: Scripted | None, kafka: Kafka | None = None) -> Process:
    """Run the connector once over HTTP. The key stands in the address, where the index itself checks it."""

    def answering(path: str) -> tuple[bytes, dict[str, str]]:
        return world.index.answer(path), {}

    return await run_over_http(world, answering, *script, credentials={}, kafka=kafka)


def refusal(code: str, said: str) -> Scripted:
    """Return an error, with HTTP status 200."""
    return 200, {}, error(code, said).decode()


async def test_what_passes_is_overcome(world: MajesticWorld) -> None:
    """Throttling, and a fault in the middle."""
    process = await run(world, THROTTLED, PAGE, BROKEN, THROTTLED)
    assert process.runner.status.outcome == "completed", process.runner.status.detail
    assert set(process.kafka.records) == world.records
    assert len(process.pauses) == 3


@pytest.mark.parametrize("repeated", FORMS_OF_KEY)
@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (refusal("InsufficientUnits", "not enough units for KEY"), "waiting"),
        (refusal("Failed", "KEY: invalid API key"), "stopped"),
        ((200, {}, '{"you":"asked for KEY"}'), "failed"),
        ((200, {}, "<html>KEY"), "failed"),
        ((302, {"Location": "https://yours.example/?app_api_key=KEY"}, ""), "failed"),
        ((403, {}, '{"error":"no KEY"}'), "failed"),
        ((404, {}, "KEY"), "failed"),
    ],
)
async def test_the_key_is_nowhere(
    world: MajesticWorld, answer: Scripted, outcome: str, repeated: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in what is said of a run, nor in dead letters and their origin, nor in any log."""
    status, headers, body = answer
    scripted = (
        status,
        {name: said.replace("KEY", repeated) for name, said in headers.items()},
        body.replace("KEY", repeated),
    )
    with caplog.at_level(logging.DEBUG):
        process = await run(world, scripted)
    assert process.runner.status.outcome == outcome
    letters = [(letter.value.decode(), letter.rejected.detail, letter.origin) for letter in process.kafka.letters]
    said = f"{process.runner.status.detail} {letters} {[r.getMessage() for r in caplog.records]}"
    assert not any(form in said for form in FORMS_OF_KEY)
    assert not process.kafka.records


async def test_the_key_is_in_no_record(world: MajesticWorld) -> None:
    """Nor in the origin of records that are sent, nor of rows that can't be read."""
    world.malform()
    process = await run(world)
    sent = f"{process.kafka.records} {process.kafka.letters}"
    assert "/api/json" in sent
    assert not any(form in sent for form in FORMS_OF_KEY)


async def test_a_wrong_key_stops_it(world: MajesticWorld, tmp_path: Path) -> None:
    """It is not repeated, although the server does."""
    (tmp_path / "key").write_text("wrong-key")
    process = await run(world)
    assert process.runner.status.outcome == "stopped"
    assert "InvalidAPIKey" in process.runner.status.detail
    assert "wrong-key" not in process.runner.status.detail


async def test_a_budget_of_units_is_never_exceeded(world: MajesticWorld) -> None:
    """Week after week it spends no more than allowed, by the rows that were shown, and gets to the end."""
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=ROWS + 2))
    kafka, outcomes = Kafka(), []
    for _ in range(10):
        world.index.shown.clear()
        process = await run(world, kafka=kafka)
        outcomes.append(process.runner.status.outcome)
        assert 0 < sum(world.index.shown) <= ROWS + 2
        assert process.runner.status.spent == {"units": sum(world.index.shown)}
        if outcomes[-1] == "completed":
            break
        world.now += timedelta(days=7)
    assert outcomes == ["out_of_budget", "out_of_budget", "completed"]
    assert set(kafka.records) == world.records


@pytest.mark.parametrize(("links", "requests"), [(0, 1), (7, 1), (230, 23)])
def test_a_run_costs_what_is_said(tmp_path: Path, links: int, requests: int) -> None:
    """At least a page, and all links each time: by the sentence about ten thousand."""
    world, kafka = emptied(MajesticWorld(tmp_path)), Kafka()
    for number in range(links):
        world.link(f"link{number}", NOW)
    cost = Majestic(world.options, world.resources()).cost_of_run()
    for _ in range(2):
        world.index.shown.clear()
        completed(world, kafka)
        assert (len(world.index.shown), sum(world.index.shown)) == (requests, links)
        assert requests == max(cost.requests, -(-links // cost.links_per_request))
    assert day_cost(cost, every_s=86_400).quiet == {"requests": 1, "units": ROWS}
    assert "10,000 links are 1,000 requests and 10,000 units, every 7d" in " ".join(cost_in_words(cost, world.options))
