"""Semrush: which links its rows are, pages that move while they are read, and what they cost."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.rejection import Rejected
from flatline_connectors.runtime.config import Budget
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.runtime.cost import day_cost
from flatline_connectors.semrush.answers import FORMAT, read_page
from flatline_connectors.semrush.connector import Semrush
from flatline_connectors.sites import on_sites
from flatline_connectors.vendors.records import records_of
from flatline_connectors.vendors.requests import BudgetTooSmall
from tests.connectors.api_over_http import BROKEN, THROTTLED, Scripted, emptied, run_over_http
from tests.connectors.runtime.contract import completed, process_of
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.semrush import HERE, KEY, NOW, ROWS, SemrushWorld
from tests.samples import SAMPLES, with_samples


@pytest.fixture
def world(tmp_path: Path) -> SemrushWorld:
    """Return a fresh one."""
    return SemrushWorld(tmp_path)


def test_losses_that_are_to_be_confirmed_are_suspicions(world: SemrushWorld) -> None:
    """Nothing else changes."""
    world.options = msgspec.structs.replace(world.options, confirm_losses=True)
    kafka = Kafka()
    completed(world, kafka)
    assert {record for record in world.records if record[3] == "lost"}
    assert set(kafka.records) == {
        (*record[:3], "suspected" if record[3] == "lost" else record[3]) for record in world.records
    }


@with_samples
def test_the_sample() -> None:
    """A new link, a lost one, and one through a redirect; dates in two shapes."""
    page = read_page((SAMPLES / "semrush_api_v4_links.json").read_bytes(), sorted_by="first_seen_at")
    found = records_of(
        page.body,
        FORMAT,
        rows=len(page.rows),
        pulled_at=datetime(2026, 11, 26, tzinfo=UTC),
        history_before=None,
        is_ours=on_sites(["pub.example"]),
        origin={},
    )
    events = [msgspec.json.decode(each.value) for each in found if isinstance(each, FoundRecord)]
    assert [(each["url_from"], each["url_to"], each.get("change", "gained")) for each in events][:4] == [
        (
            "https://www.garden-news.example/ten-patient-vegetables",
            "https://pub.example/guides/slow-tomatoes",
            "gained",
        ),
        ("https://podcast.example/ep/44", "https://pub.example/interviews/ada-okoro", "gained"),
        ("https://podcast.example/ep/44", "https://pub.example/interviews/ada-okoro", "lost"),
        ("https://shop.example/look", "https://pub.example/guides/slow-tomatoes", "gained"),
    ]
    assert (page.limit, page.total) == (3, 4)


def test_what_may_be_missing_or_more(world: SemrushWorld) -> None:
    """The API is young: a member that no row has, one that nobody knows, and a limit that is a text."""
    for row in world.index.rows:
        del row["page_score"]
        row["is_better"] = True
    world.index.limit_max = 7  # and less than was asked for
    kafka = Kafka()
    completed(world, kafka)
    assert set(kafka.records) == world.records
    assert not kafka.letters


moves = st.lists(st.tuples(st.sampled_from(["appears", "vanishes"]), st.integers(min_value=1, max_value=4)), max_size=8)


@given(count=st.integers(min_value=0, max_value=60), moves=moves)
def test_nothing_is_missed_while_rows_move(count: int, moves: list[tuple[str, int]]) -> None:
    """Newer links push rows down, and vanishing ones let them move up, between any two pages: all others are found."""
    with TemporaryDirectory() as folder:
        world, kafka, pending = emptied(SemrushWorld(Path(folder))), Kafka(), [*moves]
        for number in range(count):
            world.link(f"link{number}", NOW - timedelta(days=9, minutes=number))
        answer, vanished = world.index.answer, set()

        def moving(url: str) -> bytes:
            page = answer(url)
            what, rows = pending.pop(0) if pending else ("nothing", 0)
            newest = sorted(world.index.rows, key=lambda row: row["first_seen_at"], reverse=True)[:rows]
            if what == "vanishes":
                for row in newest:
                    world.index.rows.remove(row)
                    vanished.add(("link", row["source_url"], HERE, ""))
            for number in range(rows if what == "appears" else 0):
                world.link(f"new{len(pending)}-{number}", NOW - timedelta(days=8, minutes=len(pending) * 9 + number))
            return page

        world.fetcher.pages = dict.fromkeys(world.fetcher.pages, moving)
        completed(world, kafka)
        while pending:
            completed(world, kafka)
        completed(world, kafka)
        assert world.records - vanished <= set(kafka.records) <= world.records


def test_an_index_that_never_rests_is_left_to_the_next_run(world: SemrushWorld) -> None:
    """Each page but the first leaves out rows: it does not go on for ever, and finds everything when that is over."""
    kafka, answer = Kafka(), world.index.answer

    def leaving_out(url: str) -> bytes:
        return answer(url.replace("offset=", "offset=1")) if "offset=0" not in url else answer(url)

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, leaving_out)
    process = process_of(world, kafka)
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "waiting"
    assert len(world.index.asked) <= 30
    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, answer)
    completed(world, kafka)
    assert set(kafka.records) == world.records


def test_a_loss_is_found_long_after_the_last_sight(world: SemrushWorld) -> None:
    """Semrush says when a link was last seen, and not when it was found lost: that may be weeks later."""
    kafka = Kafka()
    completed(world, kafka)
    world.now += timedelta(days=1)
    world.loss("slow", NOW - timedelta(days=300), NOW - timedelta(days=25))
    completed(world, kafka)
    assert set(kafka.records) == world.records


def test_only_what_is_young_is_paid_for(tmp_path: Path) -> None:
    """Of five hundred links ten are younger than three months: two pages are read, and in the next run one."""
    world, kafka = emptied(SemrushWorld(tmp_path)), Kafka()
    for number in range(500):
        world.link(f"link{number}", NOW - timedelta(days=5 + 9 * number))
    completed(world, kafka)
    links = [asked for asked in world.index.asked if "filter" not in asked]
    assert [asked["offset"] for asked in links] == ["0", "9"]
    world.index.asked.clear()
    completed(world, kafka)
    links = [asked for asked in world.index.asked if "filter" not in asked]
    assert [asked["offset"] for asked in links] == ["0"]


def test_rows_out_of_order_are_not_trusted(world: SemrushWorld) -> None:
    """Whoever stops at the first old row of such a page would miss links; nothing is sent."""
    kafka, answer = Kafka(), world.index.answer

    def reversed_rows(url: str) -> bytes:
        rows = msgspec.json.decode(answer(url))["data"]
        return msgspec.json.encode({"meta": {}, "data": rows[::-1]})

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, reversed_rows)
    process = process_of(world, kafka)
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "waiting"
    assert "first_seen_at" in process.runner.status.detail
    assert not kafka.records


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"meta":{}}', b'{"data":{}}', b"\xff"])
def test_answers_that_are_none(body: bytes) -> None:
    """They are refused as a whole."""
    with pytest.raises(Rejected):
        read_page(body, sorted_by="first_seen_at")


def test_a_quiet_day_costs_what_is_said(tmp_path: Path) -> None:
    """Nothing can be asked for by its age, so each pass pays for a page of what is known."""
    world, kafka = emptied(SemrushWorld(tmp_path), every="12h"), Kafka()
    for number in range(50):
        world.loss(
            f"link{number}", NOW - timedelta(days=99, hours=-3 * number), NOW - timedelta(days=95, hours=3 * number)
        )
    completed(world, kafka)
    world.index.shown.clear()
    world.now += timedelta(days=30)
    for _ in range(2):
        completed(world, kafka)
    day = day_cost(Semrush(world.options, world.resources()).cost_of_run(), every_s=12 * 3_600)
    assert day.quiet == {"requests": 4, "units": 4 * ROWS * 40}
    assert sum(world.index.shown) * 40 <= 2 * day.quiet["units"]


async def run(world: SemrushWorld, *script: Scripted, kafka: Kafka | None = None) -> Process:
    """Run the connector once over HTTP."""

    def answering(path: str) -> tuple[bytes, dict[str, str]]:
        return world.index.answer(path), {}

    return await run_over_http(world, answering, *script, credentials={"Authorization": f"Apikey {KEY}"}, kafka=kafka)


def error(*, retryable: bool, status: int = 200) -> Scripted:
    """Return an error as v4 has it, with whatever HTTP status."""
    said = {"code": 7, "message": f"not now, {KEY}", "retryable": retryable, "details": None}
    return (status, {}, msgspec.json.encode({"meta": {"success": False}, "error": said}).decode())


async def test_what_passes_is_overcome(world: SemrushWorld) -> None:
    """Throttling, a fault, and an error with HTTP status 200 that says that it passes."""
    process = await run(world, THROTTLED, BROKEN, error(retryable=True))
    assert process.runner.status.outcome == "completed", process.runner.status.detail
    assert set(process.kafka.records) == world.records
    assert len(process.pauses) == 3


@pytest.mark.parametrize(("status", "outcome"), [(200, "waiting"), (403, "waiting"), (400, "stopped")])
async def test_errors_are_said_in_semrushs_words(world: SemrushWorld, status: int, outcome: str) -> None:
    """Whatever the status; without the key."""
    process = await run(world, error(retryable=False, status=status))
    assert process.runner.status.outcome == outcome
    assert "not now" in process.runner.status.detail
    assert KEY not in process.runner.status.detail
    assert not process.kafka.records


async def test_a_wrong_key_stops_it(world: SemrushWorld, tmp_path: Path) -> None:
    """The key is not repeated, although the server does."""
    (tmp_path / "key").write_text("wrong-key")
    process = await run(world)
    assert process.runner.status.outcome == "stopped"
    assert "wrong-key" not in process.runner.status.detail


async def test_a_budget_of_units_is_never_exceeded(world: SemrushWorld) -> None:
    """Day after day it spends no more than allowed, by the rows that were shown, and gets to the end."""
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=900))
    kafka, outcomes = Kafka(), []
    for _ in range(10):
        world.index.shown.clear()
        process = await run(world, kafka=kafka)
        outcomes.append(process.runner.status.outcome)
        assert 0 < sum(world.index.shown) * 40 <= 900
        assert process.runner.status.spent == {"units": sum(world.index.shown) * 40}
        if outcomes[-1] == "completed":
            break
        world.now += timedelta(days=1)
    assert outcomes[0] == "out_of_budget"
    assert outcomes[-1] == "completed"
    assert set(kafka.records) == world.records


def test_a_budget_that_pays_for_no_page(world: SemrushWorld) -> None:
    """It would wait for ever."""
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=399))
    with pytest.raises(BudgetTooSmall, match="399 units"):
        Semrush(world.options, world.resources()).cost_of_run()
