"""Moz: which links its rows are, walks that are disturbed, its two ways to log in, and what they cost."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.rejection import Rejected
from flatline_connectors.moz.answers import FORMAT, Page, read_page
from flatline_connectors.moz.connector import Moz
from flatline_connectors.runtime.config import Budget
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.runtime.cost import cost_in_words, day_cost
from flatline_connectors.sites import on_sites
from flatline_connectors.vendors.records import records_of
from tests.connectors.api_over_http import BROKEN, PAGE, THROTTLED, Scripted, emptied, run_over_http
from tests.connectors.runtime.contract import completed, process_of
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.moz import HERE, KEY, NOW, ROWS, MozWorld
from tests.samples import SAMPLES, with_samples

IN_BASE64 = b64encode(KEY.encode()).decode()


@pytest.fixture
def world(tmp_path: Path) -> MozWorld:
    """Return a fresh one."""
    return MozWorld(tmp_path)


@with_samples
def test_the_sample() -> None:
    """A link, one that disappeared, and one of which little is known, on pages without a scheme; more pages follow."""
    body = (SAMPLES / "moz_api_v2_links.json").read_bytes()
    found = records_of(
        body,
        FORMAT,
        rows=3,
        pulled_at=datetime(2026, 11, 26, tzinfo=UTC),
        history_before=None,
        is_ours=on_sites(["pub.example"]),
        origin={},
    )
    events = [msgspec.json.decode(each.value) for each in found if isinstance(each, FoundRecord)]
    guide, interview = "https://pub.example/guides/slow-tomatoes", "https://pub.example/interviews/ada-okoro"
    assert [(each["url_from"], each["url_to"], each.get("change", "gained")) for each in events] == [
        ("https://www.garden-news.example/ten-patient-vegetables", guide, "gained"),
        ("https://podcast.example/ep/44", interview, "gained"),
        ("https://podcast.example/ep/44", interview, "lost"),
        ("https://forum.beet.example/t/812", guide, "gained"),
    ]
    assert read_page(body)[:2] == (3, "KJkjx9example")


moves = st.lists(st.tuples(st.sampled_from(["appears", "vanishes"]), st.integers(min_value=1, max_value=4)), max_size=8)


@given(count=st.integers(min_value=0, max_value=60), moves=moves)
def test_what_a_walk_misses_the_next_one_finds(count: int, moves: list[tuple[str, int]]) -> None:
    """Rows move up and down between any two pages. The walk ends, invents nothing, and one in peace finds all."""
    with TemporaryDirectory() as folder:
        world, kafka, pending = emptied(MozWorld(Path(folder))), Kafka(), [*moves]
        for number in range(count):
            world.link(f"link{number}", NOW - timedelta(days=number), authority=number)
        answer, vanished = world.index.answer, set()

        def moving(posted: str) -> bytes:
            page = answer(posted)
            what, rows = pending.pop(0) if pending else ("nothing", 0)
            best = sorted(world.index.rows, key=lambda row: -row["source"]["page_authority"])[:rows]
            for row in best if what == "vanishes" else []:
                world.index.rows.remove(row)
                vanished.add(("link", f"https://{row['source']['page']}", HERE, ""))
            for number in range(rows if what == "appears" else 0):
                world.link(f"new{len(pending)}-{number}", NOW, authority=70)
            return page

        world.fetcher.pages = dict.fromkeys(world.fetcher.pages, moving)
        completed(world, kafka)
        while pending:
            completed(world, kafka)
        completed(world, kafka)
        assert world.records - vanished <= set(kafka.records) <= world.records


def test_each_target_is_walked_over(tmp_path: Path) -> None:
    """Also where the first has nothing; and a target that is taken out in the middle does not hold up the rest."""
    world = MozWorld(tmp_path)
    world.options = msgspec.structs.replace(world.options, targets=("a.yours.example", "b.yours.example"))
    kafka = Kafka()
    completed(world, kafka)
    assert [asked["target"][0] for asked in world.index.asked] == ["a"] * 3 + ["b"] * 3
    assert [asked.get("next_token") for asked in world.index.asked] == [None, "after-10", "after-20"] * 2


@pytest.mark.parametrize("is_new_each_time", [False, True])
def test_a_server_that_ignores_tokens_is_not_asked_for_ever(world: MozWorld, *, is_new_each_time: bool) -> None:
    """The first page comes again, with the same token or a new one: it would pay for that for ever."""
    answer = world.index.answer

    def stuck(posted: str) -> bytes:
        query = {**msgspec.json.decode(posted), "next_token": "after-0"}
        page = msgspec.json.decode(answer(msgspec.json.encode(query).decode()))
        page["next_token"] = f"token{len(world.index.asked) if is_new_each_time else 0}"
        return msgspec.json.encode(page)

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, stuck)
    process = process_of(world, Kafka())
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "waiting"
    assert len(world.index.asked) == 2


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"results":{}}', b'{"results":[{}],"next_token":7}', b"\xff"]
)
def test_answers_that_are_none(body: bytes) -> None:
    """They are refused as a whole."""
    with pytest.raises(Rejected):
        read_page(body)


def test_an_empty_page_is_the_last_one() -> None:
    """Whatever its token."""
    assert read_page(b'{"results":[],"next_token":"more"}') == Page(0, "")


async def run(world: MozWorld, *script: Scripted | None, kafka: Kafka | None = None) -> Process:
    """Run the connector once over HTTP."""

    def answering(posted: str) -> tuple[bytes, dict[str, str]]:
        return world.index.answer(posted), {}

    credentials = {"Authorization": f"Basic {IN_BASE64}"}
    return await run_over_http(world, answering, *script, credentials=credentials, kafka=kafka)


async def test_what_passes_is_overcome(world: MozWorld) -> None:
    """Throttling, and a fault in the middle."""
    process = await run(world, THROTTLED, PAGE, BROKEN, THROTTLED)
    assert process.runner.status.outcome == "completed", process.runner.status.detail
    assert set(process.kafka.records) == world.records
    assert len(process.pauses) == 3


async def test_an_api_token(world: MozWorld, tmp_path: Path) -> None:
    """Accounts since 2024 have one, which goes into a header of its own."""
    (tmp_path / "key").write_text("an-api-token")
    process = await run_over_http(
        world, lambda posted: (world.index.answer(posted), {}), credentials={"x-moz-token": "an-api-token"}
    )
    assert set(process.kafka.records) == world.records


async def test_a_wrong_key_stops_it(world: MozWorld, tmp_path: Path) -> None:
    """It is not repeated, although the server does."""
    (tmp_path / "key").write_text("somebody:wrong-key")
    process = await run(world)
    assert process.runner.status.outcome == "stopped"
    assert "wrong-key" not in process.runner.status.detail


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (200, {"message": "out of rows, {}"}, "waiting"),
        (403, {"error_message": "out of rows, {}"}, "waiting"),
        (400, {"name": "bad", "message": "out of rows, {}"}, "stopped"),
        (200, {"error": {"message": "out of rows, {}"}}, "waiting"),
    ],
)
@pytest.mark.parametrize("repeated", [KEY, IN_BASE64, KEY.partition(":")[2], "s3cr3t%2Bkey%2F%3D%3D"])
async def test_errors_are_said_in_mozs_words(
    world: MozWorld, status: int, error: dict[str, Any], outcome: str, repeated: str
) -> None:
    """Whatever the status and the form; without the key, in whichever form the server repeats it."""
    body = msgspec.json.encode(error).decode().replace("{}}", repeated + "}").replace("{}", repeated)
    process = await run(world, (status, {}, body))
    assert process.runner.status.outcome == outcome
    assert "out of rows" in process.runner.status.detail
    assert repeated not in process.runner.status.detail
    assert not process.kafka.records


@pytest.mark.parametrize("repeated", [KEY, IN_BASE64, KEY.partition(":")[2]])
async def test_a_dead_letter_holds_no_key(world: MozWorld, repeated: str) -> None:
    """An answer that is none may be a page that repeats the request."""
    process = await run(world, (200, {}, msgspec.json.encode({"you": f"sent {repeated}"}).decode()))
    (letter,) = process.kafka.letters
    assert b"sent" in letter.value
    assert repeated.encode() not in letter.value


async def test_a_budget_of_units_is_never_exceeded(world: MozWorld) -> None:
    """Day after day it spends no more than allowed, by the rows that were shown, and gets to the end."""
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
        world.now += timedelta(days=1)
    assert outcomes == ["out_of_budget", "out_of_budget", "completed"]
    assert set(kafka.records) == world.records


async def test_a_token_that_is_refused_later_begins_the_walk_anew(world: MozWorld) -> None:
    """Nobody says how long it is good for, and a budget may end a walk for a month. A wrong question stops it."""
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=ROWS + 2))
    kafka, refusal = Kafka(), (400, {}, '{"message":"next_token is invalid"}')
    await run(world, kafka=kafka)
    assert set(kafka.records) != world.records
    world.options = msgspec.structs.replace(world.options, budget=Budget())
    world.now += timedelta(days=31)
    world.index.asked.clear()
    process = await run(world, refusal, kafka=kafka)
    assert process.runner.status.outcome == "completed"
    assert [asked.get("next_token") for asked in world.index.asked] == [None, "after-10", "after-20"]
    assert set(kafka.records) == world.records


def test_a_small_budget_makes_small_pages(tmp_path: Path) -> None:
    """Otherwise it would wait for ever for a page that costs more."""
    world = MozWorld(tmp_path)
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=3))
    process = process_of(world, Kafka())
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "out_of_budget"
    assert world.index.shown == [3]


@pytest.mark.parametrize(("links", "requests"), [(0, 1), (7, 1), (230, 23)])
def test_a_run_costs_what_is_said(tmp_path: Path, links: int, requests: int) -> None:
    """At least a page, and all links each time: by the sentence about ten thousand."""
    world, kafka = emptied(MozWorld(tmp_path)), Kafka()
    for number in range(links):
        world.link(f"link{number}", NOW)
    cost = Moz(world.options, world.resources()).cost_of_run()
    for _ in range(2):
        world.index.shown.clear()
        completed(world, kafka)
        assert (len(world.index.shown), sum(world.index.shown)) == (requests, links)
        assert requests == max(cost.requests, -(-links // cost.links_per_request))
    assert day_cost(cost, every_s=86_400).quiet == {"requests": 1, "units": ROWS}
    said = " ".join(cost_in_words(cost, world.options))
    assert "10,000 links are 1,000 requests and 10,000 units, every 7d" in said
    assert "No limit is set." in said
