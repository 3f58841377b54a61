"""Ahrefs: which links its rows are, what is asked for, pages without a cursor, and what it costs."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.rejection import Rejected
from flatline_connectors.ahrefs.answers import FORMAT, read_page
from flatline_connectors.ahrefs.connector import OVERLAP, Ahrefs, AhrefsState
from flatline_connectors.ahrefs.requests import FIELDS
from flatline_connectors.runtime.config import Budget
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.runtime.cost import day_cost
from flatline_connectors.sites import on_sites
from flatline_connectors.vendors.records import records_of
from flatline_connectors.vendors.requests import THROTTLED_S, BudgetTooSmall
from tests.connectors.api_over_http import BROKEN, THROTTLED, Scripted, emptied, run_over_http
from tests.connectors.runtime.contract import completed, process_of
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.ahrefs import HERE, KEY, NOW, ROWS, AhrefsWorld
from tests.samples import SAMPLES, with_samples


@pytest.fixture
def world(tmp_path: Path) -> AhrefsWorld:
    """Return a fresh one."""
    return AhrefsWorld(tmp_path)


@with_samples
def test_the_sample() -> None:
    """A new link, a lost one, one on a page of 2019, and one that was only dropped from the index: that is no loss."""
    body = (SAMPLES / "ahrefs_api_all_backlinks.json").read_bytes()
    found = records_of(
        body,
        FORMAT,
        rows=4,
        pulled_at=NOW.replace(year=2027),
        history_before=None,
        is_ours=on_sites(["pub.example"]),
        origin={},
    )
    events = [msgspec.json.decode(each.value) for each in found if isinstance(each, FoundRecord)]
    assert [(each["url_from"], each.get("change", "gained"), each["observed_at"]) for each in events] == [
        ("https://www.garden-news.example/ten-patient-vegetables", "gained", "2026-11-20T08:14:03Z"),
        ("https://podcast.example/ep/44", "gained", "2026-06-01T12:00:00Z"),
        ("https://podcast.example/ep/44", "lost", "2026-11-18T03:22:45Z"),
        ("https://linkroll.example/2019/w7?a=1&b=2", "gained", "2026-11-21T19:40:55Z"),
        ("https://shop.example/look", "gained", "2026-11-22T22:05:00Z"),
    ]
    assert [each.get("lost_reason") for each in events] == [None, None, "removed", None, None]
    assert events[3]["occurred_at"].startswith("2019-02-15")
    assert all("source" not in each for each in events)  # the section's name is added later
    asked = set(msgspec.json.decode(body)["backlinks"][0])
    assert asked - {"is_new", "http_code"} <= set(FIELDS)


async def events(world: AhrefsWorld, state: AhrefsState) -> tuple[list[dict[str, Any]], AhrefsState]:
    """Poll until all is read; return the events, and the position."""
    connector, found = Ahrefs(world.options, world.resources()), []
    while True:
        result = await connector.poll(state, world.now)
        found += [msgspec.json.decode(each.value) for each in result.records if isinstance(each, FoundRecord)]
        state = result.state
        if result.is_complete:
            return found, state


def discoveries(found: list[dict[str, Any]]) -> dict[str, str]:
    """Return how each page's link was discovered."""
    return {
        urlsplit(each["url_from"]).netloc.removesuffix(".example"): each.get("discovery", "link_found")
        for each in found
    }


async def test_what_is_history(tmp_path: Path) -> None:
    """In the first run what was seen two weeks before; later nothing, however long it did not run."""
    world = emptied(AhrefsWorld(tmp_path))
    world.link("old", NOW - timedelta(days=15))
    world.link("young", NOW - timedelta(days=13))
    found, state = await events(world, AhrefsState())
    assert discoveries(found) == {"old": "import", "young": "link_found"}
    world.now += timedelta(days=60)
    world.link("missed", NOW + timedelta(days=20))
    found, _ = await events(world, state)
    assert discoveries(found)["missed"] == "link_found"


async def test_losses_are_dated_by_their_discovery(tmp_path: Path) -> None:
    """With the reason in our words; a link that the index only dropped is not lost."""
    world = emptied(AhrefsWorld(tmp_path))
    world.index.loss("gone", NOW - timedelta(days=400), NOW - timedelta(days=2), "notfound")
    world.index.loss("dropped", NOW - timedelta(days=400), NOW - timedelta(days=2), None)
    found, _ = await events(world, AhrefsState())
    lost = [each for each in found if each.get("change") == "lost"]
    assert [(each["url_from"], each["observed_at"], each["lost_reason"]) for each in lost] == [
        ("https://gone.example/", "2026-02-27T12:00:00Z", "page_gone")
    ]


@given(
    seconds=st.lists(st.integers(min_value=0, max_value=60), max_size=60),
    late=st.lists(st.integers(min_value=0, max_value=86_000), max_size=20),
    rows=st.sampled_from([ROWS, 40, 1_000]),
)
def test_nothing_is_missed_without_a_cursor(seconds: list[int], late: list[int], rows: int) -> None:
    """Many links of one second, and some that the index gets while it is read, a day late at most: all are found."""
    at = NOW - timedelta(days=20)
    with TemporaryDirectory() as folder:
        world, kafka = emptied(AhrefsWorld(Path(folder)), rows=rows), Kafka()
        for number, second in enumerate([0, *seconds]):
            world.link(f"at{number}", at + timedelta(seconds=second))
        answer, pending = world.index.answer, list(enumerate(late))

        def changing(url: str) -> bytes:
            body = answer(url)
            if pending:
                number, second = pending.pop()
                world.link(f"late{number}", at - timedelta(seconds=second))
            return body

        world.fetcher.pages = dict.fromkeys(world.fetcher.pages, changing)
        completed(world, kafka)
        while pending:
            completed(world, kafka)
        completed(world, kafka)
        assert set(kafka.records) == world.records


def test_a_plan_may_cut_pages_off_without_saying_so(tmp_path: Path) -> None:
    """The plan allows 250 rows a request, and the section says 1,000: none of 600 is missed."""
    world, kafka = emptied(AhrefsWorld(tmp_path), rows=1_000), Kafka()
    world.index.rows_max = 250
    for number in range(600):
        world.link(f"link{number}", NOW - timedelta(days=9, seconds=number))
    completed(world, kafka)
    assert set(kafka.records) == world.records


@pytest.mark.parametrize(("rows_max", "ended"), [(1_000_000, "completed"), (100, "stopped")])
def test_more_links_of_one_second_than_a_page_has(tmp_path: Path, rows_max: int, ended: str) -> None:
    """A wider page is asked for. If the plan does not allow one, it stops and says so: it neither loops nor skips."""
    world, kafka = emptied(AhrefsWorld(tmp_path), rows=100), Kafka()
    world.index.rows_max = rows_max
    for number in range(130):
        world.link(f"link{number}", NOW - timedelta(days=9))
    world.link("after", NOW - timedelta(days=8))
    process = process_of(world, kafka)
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == ended
    if ended == "completed":
        assert set(kafka.records) == world.records
    else:
        assert "2026-02-20 12:00:00" in process.runner.status.detail
        assert len(world.index.asked) <= 3


def test_rows_out_of_order_are_not_trusted(world: AhrefsWorld) -> None:
    """Whoever goes on from the last row of such a page would miss links; nothing is sent, and no mark is moved."""
    kafka, answer = Kafka(), world.index.answer

    def reversed_rows(url: str) -> bytes:
        rows = msgspec.json.decode(answer(url))["backlinks"]
        return msgspec.json.encode({"backlinks": rows[::-1]})

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, reversed_rows)
    process = process_of(world, kafka)
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "waiting"
    assert "first_seen_link" in process.runner.status.detail
    assert not kafka.records


def test_an_instant_to_come_moves_no_mark(world: AhrefsWorld) -> None:
    """A row of the year 2099 is a mistake of the index: links of tomorrow are found nevertheless."""
    kafka = Kafka()
    world.link("future", datetime(2099, 1, 1, tzinfo=UTC))
    completed(world, kafka)
    world.now += timedelta(days=1)
    world.link("tomorrow", world.now - timedelta(hours=1))
    completed(world, kafka)
    assert ("link", "https://tomorrow.example/", HERE, "") in kafka.records


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"rows":[]}', b'{"backlinks":{}}', b"\xff"])
def test_answers_that_are_none(body: bytes) -> None:
    """They are refused as a whole."""
    with pytest.raises(Rejected):
        read_page(body, sorted_by="first_seen_link")


def test_a_quiet_day_costs_what_is_said(tmp_path: Path) -> None:
    """What the index charges for a day's runs is what `flatline connect check` says before."""
    world, kafka = emptied(AhrefsWorld(tmp_path), every="6h", targets=("yours.example", "www.yours.example")), Kafka()
    for _ in range(4):
        completed(world, kafka)
    cost = Ahrefs(world.options, world.resources()).cost_of_run()
    day = day_cost(cost, every_s=6 * 3_600)
    assert day.quiet == {"requests": len(world.index.charged), "units": sum(world.index.charged)}
    assert cost.overlap == OVERLAP


async def run(world: AhrefsWorld, *script: Scripted, kafka: Kafka | None = None) -> Process:
    """Run the connector once over HTTP; answers say what they cost."""

    def answering(path: str) -> tuple[bytes, dict[str, str]]:
        page = world.index.answer(path)
        return page, {"X-Api-Units-Cost-Total-Actual": str(world.index.charged[-1])}

    return await run_over_http(world, answering, *script, credentials={"Authorization": f"Bearer {KEY}"}, kafka=kafka)


async def test_throttles_and_faults_in_the_middle_are_overcome(world: AhrefsWorld) -> None:
    """Ahrefs does not say how long to wait after 429, so each pause is at least a third of a minute."""
    process = await run(world, THROTTLED, BROKEN, THROTTLED)
    assert process.runner.status.outcome == "completed", process.runner.status.detail
    assert set(process.kafka.records) == world.records
    assert len(process.pauses) == 3
    assert min(process.pauses[0], process.pauses[2]) >= THROTTLED_S


async def test_a_wrong_key_stops_it(world: AhrefsWorld, tmp_path: Path) -> None:
    """The key is not repeated, although the server does."""
    (tmp_path / "key").write_text("wrong-key")
    process = await run(world)
    assert process.runner.status.outcome == "stopped"
    assert "does not accept the key" in process.runner.status.detail
    assert "wrong-key" not in process.runner.status.detail


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((403, {}, f'{{"error":"API units limit reached for {KEY}"}}'), "waiting"),
        ((200, {}, f'{{"error":"API units limit reached for {KEY}"}}'), "waiting"),
        ((400, {}, '{"error":"API units limit reached, or so"}'), "stopped"),
    ],
)
async def test_errors_are_said_in_ahrefs_words(world: AhrefsWorld, answer: Scripted, outcome: str) -> None:
    """Whatever the status; without the key. Units come back, so it waits; a wrong question stops it."""
    process = await run(world, answer)
    assert process.runner.status.outcome == outcome
    assert "API units limit reached" in process.runner.status.detail
    assert KEY not in process.runner.status.detail
    assert not process.kafka.records
    assert not process.kafka.position


async def test_a_budget_of_units_is_never_exceeded(world: AhrefsWorld) -> None:
    """Day after day it spends no more than allowed, by the server's own count, and gets to the end."""
    budget = Budget(units=700)
    world.options = msgspec.structs.replace(world.options, budget=budget, rows=100)
    kafka, outcomes = Kafka(), []
    for _ in range(10):
        world.index.charged.clear()
        process = await run(world, kafka=kafka)
        outcomes.append(process.runner.status.outcome)
        assert 0 < sum(world.index.charged) <= 700
        assert process.runner.status.spent == {"units": sum(world.index.charged)}
        if outcomes[-1] == "completed":
            break
        world.now += timedelta(days=1)
    assert outcomes[0] == "out_of_budget"
    assert outcomes[-1] == "completed"
    assert set(kafka.records) == world.records


def test_a_budget_that_pays_for_no_page(world: AhrefsWorld) -> None:
    """It would wait for ever."""
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=100))
    with pytest.raises(BudgetTooSmall, match="100 units"):
        Ahrefs(world.options, world.resources()).cost_of_run()
