"""DataForSEO: which links its rows are, tokens that are refused, errors with HTTP status 200, and what it costs."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flatline.schema.rejection import Rejected
from flatline_connectors.dataforseo.answers import FORMAT, read_error, read_page, usd_charged
from flatline_connectors.dataforseo.connector import DataForSeo, DataForSeoState
from flatline_connectors.runtime.config import Budget
from flatline_connectors.runtime.connector import FoundRecord
from flatline_connectors.runtime.cost import cost_in_words, day_cost
from flatline_connectors.sites import on_sites
from flatline_connectors.vendors.records import records_of
from flatline_connectors.vendors.requests import THROTTLED_S, BudgetTooSmall
from tests.connectors.api_over_http import BROKEN, PAGE, THROTTLED, Scripted, emptied, run_over_http
from tests.connectors.runtime.contract import completed, process_of
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.dataforseo import HERE, KEY, NOW, ROWS, DataForSeoWorld, envelope
from tests.samples import SAMPLES, with_samples

IN_BASE64 = b64encode(KEY.encode()).decode()
PAGE_UNITS = 2_000 + 3 * ROWS


@pytest.fixture
def world(tmp_path: Path) -> DataForSeoWorld:
    """Return a fresh one."""
    return DataForSeoWorld(tmp_path)


def units(world: DataForSeoWorld) -> int:
    """Return the units that were charged."""
    return round(sum(world.index.usd) * 100_000)


@with_samples
def test_the_sample() -> None:
    """A link on an old page, one on a new page, and a lost one, with its time and reason."""
    body = (SAMPLES / "dataforseo_backlinks_live.json").read_bytes()
    found = records_of(
        body,
        FORMAT,
        rows=4,
        pulled_at=datetime(2026, 11, 26, tzinfo=UTC),
        history_before=datetime(2026, 11, 1, tzinfo=UTC),
        is_ours=on_sites(["pub.example"]),
        origin={},
    )
    events = [msgspec.json.decode(each.value) for each in found if isinstance(each, FoundRecord)]
    assert [
        (each["url_from"].split("/")[2], each.get("change", "gained"), each.get("discovery", "link_found"))
        for each in events
    ][:4] == [
        ("www.garden-news.example", "gained", "link_found"),
        ("linkroll.example", "gained", "page_found"),
        ("podcast.example", "gained", "import"),
        ("podcast.example", "lost", "import"),
    ]
    assert (events[3]["observed_at"], events[3]["lost_reason"]) == ("2026-11-18T03:22:45Z", "removed")
    page = read_page(body, sorted_by="first_seen")
    assert (page.rows, page.next_token) == (4, "eyJleGFtcGxlIjoxfQ==")
    assert usd_charged(body) == 0.02


async def test_a_page_shows_one_of_its_links(tmp_path: Path) -> None:
    """How many there are is said; the event says that there are more."""
    world = emptied(DataForSeoWorld(tmp_path))
    for name, count in (("one", 1), ("three", 3)):
        world.index.link(name, NOW - timedelta(days=1), NOW, links_count=count)
    result = await DataForSeo(world.options, world.resources()).poll(DataForSeoState(), NOW)
    events = [msgspec.json.decode(each.value) for each in result.records if isinstance(each, FoundRecord)]
    assert [(each["anchor"], each.get("flags", [])) for each in events] == [("one", []), ("three", ["floor"])]


async def test_what_is_history(tmp_path: Path) -> None:
    """In the first run what was seen two weeks before; later nothing, however long it did not run."""
    world, state, said = emptied(DataForSeoWorld(tmp_path)), DataForSeoState(), []
    world.link("old", NOW - timedelta(days=20))
    world.link("young", NOW - timedelta(days=13))
    for _ in range(2):
        while True:
            result = await DataForSeo(world.options, world.resources()).poll(state, world.now)
            said += [msgspec.json.decode(each.value) for each in result.records if isinstance(each, FoundRecord)]
            state = result.state
            if result.is_complete:
                break
        world.now += timedelta(days=60)
        world.link("missed", NOW + timedelta(days=20))
    discoveries = {each["anchor"]: each.get("discovery", "link_found") for each in said}
    assert discoveries == {"old": "import", "young": "link_found", "missed": "link_found"}


@given(
    seconds=st.lists(st.integers(min_value=0, max_value=6), max_size=60),
    late=st.lists(st.integers(min_value=0, max_value=172_000), max_size=10),
    forgets=st.lists(st.booleans(), max_size=12),
)
def test_nothing_is_missed(seconds: list[int], late: list[int], forgets: list[bool]) -> None:
    """Many links of a second, some that the index gets while it is read, and tokens that it does not know any more."""
    at = NOW - timedelta(days=20)
    with TemporaryDirectory() as folder:
        world, kafka = emptied(DataForSeoWorld(Path(folder))), Kafka()
        for number, second in enumerate([0, *seconds]):
            world.link(f"at{number:02}", at + timedelta(seconds=second))
        answer, pending, forgotten = world.index.answer, list(enumerate(late)), [*forgets]

        def changing(posted: str) -> bytes:
            body = answer(posted)
            if pending:
                number, second = pending.pop()
                world.link(f"late{number:02}", at - timedelta(seconds=second))
            if forgotten and forgotten.pop():
                world.index.tokens.clear()
            return body

        world.fetcher.pages = dict.fromkeys(world.fetcher.pages, changing)
        for _ in range(len(late) + len(forgets) + 2):
            asyncio.run(process_of(world, kafka).runner.run())
        completed(world, kafka)
        assert set(kafka.records) == world.records


def test_a_token_that_is_refused_costs_no_link_of_its_second(tmp_path: Path) -> None:
    """In the same run: half of the links of a second are read when the token for the others is refused."""
    world, kafka = emptied(DataForSeoWorld(tmp_path)), Kafka()
    for number in range(24):
        world.link(f"link{number:02}", NOW - timedelta(days=9, seconds=-(number // 12)))
    answer = world.index.answer

    def forgetting(posted: str) -> bytes:
        body = answer(posted)
        if len(world.index.asked) == 2:
            world.index.tokens.clear()
        return body

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, forgetting)
    process = process_of(world, kafka)
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "completed"
    assert set(kafka.records) == world.records


def test_a_server_that_ignores_tokens_is_not_asked_for_ever(world: DataForSeoWorld) -> None:
    """The first page comes again, with a new token each time."""
    answer = world.index.answer

    def ignoring(posted: str) -> bytes:
        (task,) = msgspec.json.decode(posted)
        task.pop("search_after_token", None)
        return answer(msgspec.json.encode([task]).decode())

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, ignoring)
    process = process_of(world, Kafka())
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "waiting"
    assert "first_seen" in process.runner.status.detail
    assert len(world.index.asked) == 2


def test_rows_out_of_order_are_not_trusted(world: DataForSeoWorld) -> None:
    """Whoever goes on from the last row of such a page would miss links; nothing is sent, and no mark is moved."""
    kafka, answer = Kafka(), world.index.answer

    def reversed_rows(posted: str) -> bytes:
        page = msgspec.json.decode(answer(posted))
        page["tasks"][0]["result"][0]["items"].reverse()
        return msgspec.json.encode(page)

    world.fetcher.pages = dict.fromkeys(world.fetcher.pages, reversed_rows)
    process = process_of(world, kafka)
    asyncio.run(process.runner.run())
    assert process.runner.status.outcome == "waiting"
    assert not kafka.records


def test_an_instant_to_come_moves_no_mark(world: DataForSeoWorld) -> None:
    """A row of the year 2099 is a mistake of the index: links of tomorrow are found nevertheless."""
    kafka = Kafka()
    world.link("future", datetime(2099, 1, 1, tzinfo=UTC))
    completed(world, kafka)
    world.now += timedelta(days=1)
    world.link("tomorrow", world.now - timedelta(hours=1))
    completed(world, kafka)
    assert ("link", "https://tomorrow.example/", HERE, "") in kafka.records


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"tasks":[]}',
        b'{"tasks":[{}]}',
        b'{"tasks":[{"result":[7]}]}',
        b'{"tasks":[{"result":[{"items":{"a":1}}]}]}',
        b'{"tasks":[{"result":[{"items":[],"search_after_token":7}]}]}',
        b"\xff",
    ],
)
def test_answers_that_are_none(body: bytes) -> None:
    """They are refused as a whole."""
    with pytest.raises(Rejected):
        read_page(body, sorted_by="first_seen")


@pytest.mark.parametrize("result", [None, [], [{"items": None}], [{"items": []}]])
def test_nothing_is_known(result: object) -> None:
    """That is no error."""
    body = envelope(result, usd=0.02)
    assert read_page(body, sorted_by="first_seen") == (0, [], "")
    assert read_error(body) is None


async def run(world: DataForSeoWorld, *script: Scripted | None, kafka: Kafka | None = None) -> Process:
    """Run the connector once over HTTP."""

    def answering(posted: str) -> tuple[bytes, dict[str, str]]:
        return world.index.answer(posted), {}

    credentials = {"Authorization": f"Basic {IN_BASE64}"}
    return await run_over_http(world, answering, *script, credentials=credentials, kafka=kafka)


def error(code: int, status: int = 200) -> Scripted:
    """Return an error of the task, with whatever HTTP status."""
    return status, {}, envelope(None, code, f"not now, {IN_BASE64} {KEY}", usd=0).decode()


async def test_what_passes_is_overcome(world: DataForSeoWorld) -> None:
    """Throttling and faults, by HTTP status or by the code in an answer with status 200, also in the middle."""
    process = await run(world, THROTTLED, error(50_000), PAGE, BROKEN, error(40_202))
    assert process.runner.status.outcome == "completed", process.runner.status.detail
    assert set(process.kafka.records) == world.records
    assert len(process.pauses) == 4
    assert process.pauses[3] >= THROTTLED_S


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        (40_200, 200, "waiting"),
        (40_203, 200, "waiting"),
        (40_210, 402, "waiting"),
        (40_100, 200, "stopped"),
        (40_501, 200, "stopped"),
    ],
)
async def test_errors_are_said_in_its_words(world: DataForSeoWorld, code: int, status: int, outcome: str) -> None:
    """Money may come by the next run, a right question does not. Neither the login's form nor the password is said."""
    process = await run(world, error(code, status))
    assert process.runner.status.outcome == outcome
    assert f"({code})" in process.runner.status.detail
    assert "not now" in process.runner.status.detail
    assert not any(secret in process.runner.status.detail for secret in (KEY, IN_BASE64, "s3cr3t-password"))
    assert not process.kafka.records
    assert not process.runner.status.spent.get("units")


async def test_an_error_of_the_whole(world: DataForSeoWorld) -> None:
    """Then there may be no task at all."""
    process = await run(world, (200, {}, '{"status_code":40104,"status_message":"Please verify","tasks":null}'))
    assert process.runner.status.outcome == "stopped"
    assert "Please verify (40104)" in process.runner.status.detail


async def test_a_wrong_key_stops_it(world: DataForSeoWorld, tmp_path: Path) -> None:
    """It is not repeated, although the server does."""
    (tmp_path / "key").write_text("somebody:wrong-key")
    process = await run(world)
    assert process.runner.status.outcome == "stopped"
    assert "wrong-key" not in process.runner.status.detail


async def test_a_dead_letter_holds_no_key(world: DataForSeoWorld) -> None:
    """An answer that is none may repeat the request."""
    process = await run(world, (200, {}, msgspec.json.encode({"you": f"sent {IN_BASE64}, {KEY}"}).decode()))
    (letter,) = process.kafka.letters
    assert b"sent" in letter.value
    assert not any(secret.encode() in letter.value for secret in (KEY, IN_BASE64, "s3cr3t-password"))


async def test_a_budget_of_units_is_never_exceeded(world: DataForSeoWorld) -> None:
    """Day after day it spends no more than allowed, by what the answers say that they cost, and gets to the end."""
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=2 * PAGE_UNITS))
    kafka, outcomes = Kafka(), []
    for _ in range(10):
        world.index.usd.clear()
        process = await run(world, kafka=kafka)
        outcomes.append(process.runner.status.outcome)
        assert 0 < units(world) <= 2 * PAGE_UNITS
        assert process.runner.status.spent == {"units": units(world)}
        if outcomes[-1] == "completed":
            break
        world.now += timedelta(days=1)
    assert outcomes == ["out_of_budget", "out_of_budget", "completed"]
    assert set(kafka.records) == world.records


def test_a_budget_that_pays_for_no_page(world: DataForSeoWorld) -> None:
    """It would wait for ever."""
    world.options = msgspec.structs.replace(world.options, budget=Budget(units=2_029))
    with pytest.raises(BudgetTooSmall, match="2,029 units"):
        DataForSeo(world.options, world.resources()).cost_of_run()


def test_days_cost_what_is_said(tmp_path: Path) -> None:
    """A quiet one, and one of many with new links: each comes in the runs of the next two days again."""
    world, kafka = emptied(DataForSeoWorld(tmp_path), every="12h", rows=50), Kafka()
    cost = DataForSeo(world.options, world.resources()).cost_of_run()
    day = day_cost(cost, every_s=12 * 3_600)
    charged, links_a_run = [], 100
    for number in range(14):
        world.index.usd.clear()
        completed(world, kafka)
        charged.append(units(world))
        for link in range(links_a_run):
            world.link(f"link{number:02}-{link:02}", world.now + timedelta(minutes=7 * link))
        world.now += timedelta(hours=12)
    assert 2 * charged[0] == day.quiet["units"]
    said = day.quiet["units"] + day.per_thousand["units"] * 2 * links_a_run / 1_000
    assert said * 0.9 <= charged[-1] + charged[-2] <= said * 1.01  # the link at the mark comes once more
    assert "100,000 units are a dollar" in " ".join(cost_in_words(cost, world.options))
