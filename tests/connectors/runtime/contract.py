"""What every connector keeps to. Each check takes a maker of fresh worlds, and fails with an AssertionError."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol

import msgspec

from flatline.domain.time import to_ms
from flatline_connectors.runtime.config import ConnectorOptions
from flatline_connectors.runtime.connector import (
    ConnectorKind,
    FoundRecord,
    PollResult,
    Resources,
    UnreadableRecord,
)
from flatline_connectors.runtime.section import Section
from tests.connectors.runtime.doubles import Kafka, Killed, Process, name_of

RETRY_AFTER_S = 1_234


class World(Protocol):
    """What a connector reads, made for a test: at least two polls' worth of records, named as `name_of` does."""

    kind: ConnectorKind[Any, Any]
    now: datetime

    @property
    def options(self) -> ConnectorOptions:
        """A section of connectors.toml."""

    @property
    def records(self) -> set[tuple[str, ...]]:
        """What a run from the beginning finds."""

    def resources(self) -> Resources:
        """Return what the connector is lent."""

    def add(self) -> None:
        """Have something new appear: `records` has it from now on."""

    def malform(self) -> None:
        """Make one page unreadable: `records` lacks from now on what only that had."""

    def limit_rate(self, retry_after_s: int) -> bool:
        """Answer the next request with 429 and Retry-After, once. False: it asks nobody over HTTP."""


MakeWorld = Callable[[], World]


def process_of(world: World, kafka: Kafka) -> Process:
    """Return a new process, which goes on from what is in Kafka."""
    return Process(Section("mine", world.options, world.kind), kafka, world.resources, now_ms=to_ms(world.now))


def completed(world: World, kafka: Kafka) -> Process:
    """Run a new process until its connector has completed a run; a few runs must do."""
    process = process_of(world, kafka)
    for _ in range(3):
        asyncio.run(process.runner.run())
        if process.runner.status.outcome == "completed":
            return process
    raise AssertionError(f"never completed: {process.runner.status.detail}")


def _ended_at(step: int, end: Callable[[], None]) -> Callable[[int], None]:
    def at_step(number: int) -> None:
        if number == step:
            end()

    return at_step


def _steps_of_a_run(make: MakeWorld) -> int:
    process = process_of(make(), Kafka())
    asyncio.run(process.runner.run())
    return process.steps.number


def finds_everything(make: MakeWorld) -> None:
    """Check that a run from the beginning finds all that is there, and the next one what is new."""
    world, kafka = make(), Kafka()
    assert len(world.records) >= 2
    completed(world, kafka)
    assert set(kafka.records) == world.records
    world.add()
    completed(world, kafka)
    assert set(kafka.records) == world.records


def survives_a_kill_at_any_step(make: MakeWorld) -> None:
    """Check that, killed between any two steps, the next process sends what is missing."""

    def die() -> None:
        raise Killed

    for step in range(1, _steps_of_a_run(make) + 1):
        world, kafka = make(), Kafka()
        process = process_of(world, kafka)
        process.steps.at_step = _ended_at(step, die)
        with suppress(Killed):
            asyncio.run(process.runner.run())
            raise AssertionError(f"there was no step {step}")
        completed(world, kafka)
        assert set(kafka.records) == world.records, f"killed at step {step}"


def ends_when_it_is_cancelled(make: MakeWorld) -> None:
    """Check that, cancelled at any step, it ends there, and the next process goes on."""
    for step in range(1, _steps_of_a_run(make) + 1):
        world, kafka = make(), Kafka()
        asyncio.run(_cancelled(process_of(world, kafka), step))
        completed(world, kafka)
        assert set(kafka.records) == world.records, f"cancelled at step {step}"


async def _cancelled(process: Process, step: int) -> None:
    task = asyncio.ensure_future(process.runner.run())
    process.steps.at_step = _ended_at(step, lambda: task.cancel() and None)
    await asyncio.wait([task])
    assert task.cancelled(), f"step {step}: cancelling it was ignored"
    assert process.steps.number == step, f"step {step}: it went on after it was cancelled"


def says_the_same_again(make: MakeWorld) -> None:
    """Check that the same position gives the same records, whichever polls came before: a page may come twice."""
    asyncio.run(_says_the_same_again(make()))


async def _says_the_same_again(world: World) -> None:
    connector, pages = await _polled(world)
    for state, result, names in reversed(pages):
        decoded = msgspec.json.decode(msgspec.json.encode(result.state), type=world.kind.state)
        assert decoded == result.state, "a position that does not survive being saved"
        again = _names((await connector.poll(state, world.now)).records)
        assert again >= names, f"from {state} it found {names} at first, and then {again}"


async def _polled(world: World) -> tuple[Any, list[tuple[Any, PollResult[Any], set[tuple[str, ...]]]]]:
    """Return a connector, and the position before each poll of a whole run, with what the poll found."""
    connector, state = world.kind.open(world.options, world.resources()), world.kind.state()
    pages: list[tuple[Any, PollResult[Any], set[tuple[str, ...]]]] = []
    while not pages or not pages[-1][1].is_complete:
        assert len(pages) < 100, "a hundred polls, and no end"
        result = await connector.poll(state, world.now)
        pages.append((state, result, _names(result.records)))
        state = result.state
    return connector, pages


def _names(records: Iterable[FoundRecord | UnreadableRecord]) -> set[tuple[str, ...]]:
    return {name_of(each) for each in records if isinstance(each, FoundRecord)}


def keeps_what_it_cannot_read(make: MakeWorld) -> None:
    """Check that a malformed page becomes a dead letter that says where it was, and all others are read."""
    world, kafka = make(), Kafka()
    world.malform()
    process = process_of(world, kafka)
    for _ in range(3):
        asyncio.run(process.runner.run())
    assert set(kafka.records) == world.records
    assert kafka.letters, "no dead letter"
    assert all(letter.origin for letter in kafka.letters), "a dead letter that does not say where it was found"
    assert process.registry.get_sample_value(
        "flatline_connector_rejected_total", {"connector": "mine", "reason": kafka.letters[0].rejected.reason}
    )


def waits_as_long_as_it_is_asked(make: MakeWorld) -> None:
    """Check that after 429 it does not run before Retry-After has passed, and then goes on."""
    world, kafka = make(), Kafka()
    if not world.limit_rate(RETRY_AFTER_S):
        return
    process = process_of(world, kafka)
    asyncio.run(process.runner.run())
    status = process.runner.status
    assert status.outcome == "waiting", f"429 ended as {status.outcome}: {status.detail}"
    assert status.next_run_at is not None
    pause_s = (status.next_run_at - world.now).total_seconds()
    assert RETRY_AFTER_S <= pause_s <= 1.2 * RETRY_AFTER_S
    completed(world, kafka)
    assert set(kafka.records) == world.records


def claims_only_what_it_saw(make: MakeWorld) -> None:
    """Check that it claims nothing that is still to come, and nothing at all before all of a run is in Kafka."""
    _, pages = asyncio.run(_polled(world := make()))
    assert all(result.seen_until is None or result.seen_until <= world.now for _, result, _ in pages)

    def die() -> None:
        raise Killed

    for step in range(1, _steps_of_a_run(make)):
        world, cut = make(), Kafka()
        process = process_of(world, cut)
        process.steps.at_step = _ended_at(step, die)
        with suppress(Killed):
            asyncio.run(process.runner.run())
        assert not cut.heartbeats or set(cut.records) == world.records, "a heartbeat before everything was sent"


def has_metrics(make: MakeWorld) -> None:
    """Check that its records, runs and times are counted under its name."""
    world, kafka = make(), Kafka()
    process = completed(world, kafka)

    def value(name: str, **labels: str) -> float | None:
        return process.registry.get_sample_value(f"flatline_connector_{name}", {"connector": "mine", **labels})

    by_type = {kind: sum(name[0] == kind for name in kafka.records) for kind in {name[0] for name in kafka.records}}
    assert {kind: value("records_total", type=kind) for kind in by_type} == by_type
    assert value("runs_total", outcome="completed") == 1
    assert value("failures") == value("stopped") == value("retries_total") == 0
    assert value("last_completed_timestamp_seconds") == world.now.timestamp()
    assert (value("next_run_timestamp_seconds") or 0) > world.now.timestamp()


CHECKS: tuple[Callable[[MakeWorld], None], ...] = (
    finds_everything,
    survives_a_kill_at_any_step,
    ends_when_it_is_cancelled,
    says_the_same_again,
    keeps_what_it_cannot_read,
    waits_as_long_as_it_is_asked,
    claims_only_what_it_saw,
    has_metrics,
)
