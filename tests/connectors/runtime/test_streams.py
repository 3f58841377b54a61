"""Connectors that listen to streams: floods, silence, disorder, servers that hang up, and gaps."""

import asyncio
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from flatline.domain.time import to_ms
from flatline_connectors.fetching.sse import Message
from flatline_connectors.runtime import streams
from flatline_connectors.runtime.connector import PollFailed
from flatline_connectors.wikimedia.connector import Wikimedia, WikimediaState
from tests.connectors.runtime.contract import completed, process_of
from tests.connectors.runtime.doubles import Kafka, Process
from tests.connectors.runtime.worlds.streaming import ScriptedConnection
from tests.connectors.runtime.worlds.wikimedia import HERE, WIKI, WikimediaWorld


def run_later(world: WikimediaWorld, kafka: Kafka, later: timedelta) -> Process:
    """Run once more after some time, at the end of which the stream is alive."""
    world.now += later
    world.canary(world.now - timedelta(seconds=2))
    return completed(world, kafka)


def test_a_gap_is_said_and_not_claimed(tmp_path: Path) -> None:
    """What the server has no longer is counted; heartbeats begin after it, from then on."""
    world, kafka = WikimediaWorld(tmp_path), Kafka()
    completed(world, kafka)
    began, last = kafka.seen_from, world.now - timedelta(seconds=5)
    assert began == world.now - timedelta(minutes=50)
    world.edit("Missed", world.now + timedelta(days=1))
    world.records.discard(("link", f"{WIKI}Missed", HERE, ""))
    world.kept_from = world.now + timedelta(days=20)
    world.edit("Kept", resumed := world.kept_from + timedelta(hours=1))
    process = run_later(world, kafka, timedelta(days=30))
    assert set(kafka.records) == world.records
    missed_s = process.registry.get_sample_value("flatline_connector_missed_seconds_total", {"connector": "mine"})
    assert missed_s == (resumed - last).total_seconds()
    assert process.runner.status.detail == "nothing was seen from 2026-03-01 11:59 to 2026-03-21 13:00 UTC"
    assert kafka.seen_from == resumed
    process = run_later(world, kafka, timedelta(minutes=1))
    assert (process.runner.status.detail, kafka.seen_from) == ("", resumed)
    assert kafka.heartbeats == sorted(kafka.heartbeats)


def test_a_pause_is_no_gap(tmp_path: Path) -> None:
    """Where the server still has everything, all of it is seen."""
    world, kafka = WikimediaWorld(tmp_path), Kafka()
    completed(world, kafka)
    for hours in range(1, 49):
        world.canary(world.now + timedelta(hours=hours))
    world.edit("Later", world.now + timedelta(hours=49))
    process = run_later(world, kafka, timedelta(days=3))
    assert set(kafka.records) == world.records
    assert process.registry.get_sample_value("flatline_connector_missed_seconds_total", {"connector": "mine"}) == 0


def test_a_flood_is_taken_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A position is saved after each of them, over one connection."""
    monkeypatch.setattr(streams, "BATCH_MESSAGES", 10)
    world, kafka = WikimediaWorld(tmp_path), Kafka()
    world.fetcher.cut_off_after = 10**6
    world.said.clear()
    world.records.clear()
    for number in range(95):
        world.edit(f"Flood_{number}", world.now - timedelta(minutes=30) + timedelta(seconds=number))
    world.canary(world.now - timedelta(seconds=1))
    process = process_of(world, kafka)
    positions: set[tuple[bytes, ...]] = set()
    process.steps.at_step = lambda _: positions.add(kafka.position)
    asyncio.run(process.runner.run())
    assert (set(kafka.records), process.runner.status.outcome) == (world.records, "completed")
    assert len(positions) == 11  # none, and one after each part
    assert (len(world.fetcher.asked), world.fetcher.open) == (1, 0)


@pytest.mark.parametrize("seed", range(5))
def test_disorder_and_duplicates(tmp_path: Path, seed: int) -> None:
    """Neither loses anything, and the time that is claimed never goes back."""
    random, world, kafka = Random(seed), WikimediaWorld(tmp_path), Kafka()
    body, last = world.said[1:-1], world.said[-1]
    body += random.choices(body, k=5)
    random.shuffle(body)
    world.said[1:] = [*body, last]
    completed(world, kafka)
    world.add()
    run_later(world, kafka, timedelta(minutes=1))
    assert set(kafka.records) == world.records
    assert kafka.heartbeats == sorted(kafka.heartbeats)


def test_silence_claims_no_more_than_was_heard(tmp_path: Path) -> None:
    """A stream that stands still completes its run, and does not move what is claimed."""
    world, kafka = WikimediaWorld(tmp_path), Kafka()
    completed(world, kafka)
    world.now += timedelta(hours=5)
    process = completed(world, kafka)
    assert len(set(kafka.heartbeats)) == 1
    assert process.runner.status.seen_until is not None
    assert to_ms(process.runner.status.seen_until) < to_ms(world.now - timedelta(hours=5))


async def test_a_server_that_only_hangs_up(tmp_path: Path) -> None:
    """It is tried again later, and no connection is left."""
    world = WikimediaWorld(tmp_path)
    world.fetcher.cut_off_after = 0
    with pytest.raises(PollFailed, match="before it said anything"):
        await Wikimedia(world.options, world.resources()).poll(WikimediaState(), world.now)
    assert world.fetcher.open == 0


async def test_a_cancelled_wait_leaves_no_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of silence."""
    world, is_waiting = WikimediaWorld(tmp_path), asyncio.Event()

    async def wait(_self: ScriptedConnection) -> Message | None:
        is_waiting.set()
        await asyncio.Event().wait()
        return None

    monkeypatch.setattr(ScriptedConnection, "next", wait)
    polling = asyncio.ensure_future(Wikimedia(world.options, world.resources()).poll(WikimediaState(), world.now))
    await is_waiting.wait()
    assert world.fetcher.open == 1
    polling.cancel()
    await asyncio.wait([polling])
    assert (polling.cancelled(), world.fetcher.open) == (True, 0)
