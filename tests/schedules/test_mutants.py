"""The schedules find the faults that they are there for: each of these, built in, makes them fail."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from flatline.agents.record_agent import RecordAgent
from flatline.engine.due_queue import DueQueue
from flatline.engine.partition import Partition
from flatline.engine.task import Task
from tests.schedules.test_schedules import Schedules

Mutate = Callable[[pytest.MonkeyPatch], None]


def _state_is_not_written(patch: pytest.MonkeyPatch) -> None:
    take = Partition.take_changes

    def positions_only(self: Partition, positions: Mapping[str, tuple[int, int]] | None = None) -> Iterator[Any]:
        return (change for change in take(self, positions) if not change[0].startswith(b"https:"))

    patch.setattr(Partition, "take_changes", positions_only)


def _judged_is_what_was_applied(patch: pytest.MonkeyPatch) -> None:
    def change(self: DueQueue, _keys: object, positions: Mapping[str, int]) -> None:
        self.judged_positions = dict(positions)

    patch.setattr(DueQueue, "change", change)


def _records_of_others_are_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RecordAgent, "_belongs_elsewhere", lambda *_: False)


def _verdicts_are_dropped(patch: pytest.MonkeyPatch) -> None:
    write = Task._write

    async def write_without_verdicts(self: Task, forwarder: Any) -> None:
        self.unpublished = []
        await write(self, forwarder)

    patch.setattr(Task, "_write", write_without_verdicts)


MUTANTS: dict[str, Mutate] = {
    mutate.__name__.strip("_"): mutate
    for mutate in (
        _state_is_not_written,
        _judged_is_what_was_applied,
        _records_of_others_are_kept,
        _verdicts_are_dropped,
    )
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with this fault does not get through the schedules."""
    MUTANTS[name](monkeypatch)
    few = settings(
        max_examples=1_000,
        stateful_step_count=30,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    with pytest.raises(Exception):  # noqa: B017, PT011 - what fails depends on the schedule
        run_state_machine_as_test(Schedules, settings=few)
