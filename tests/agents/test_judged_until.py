"""Until when verdicts hold everything: what whoever waits for verdicts goes by."""

import pytest

from flatline.engine import due_queue
from tests.agents.test_survey import START, Bench


def test_it_is_now_when_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed or became due but could not be judged yet takes it back before now, and judging that brings it."""
    bench = Bench()
    due = bench.task.due
    for number in range(4):
        bench.link(number, START - 9)
    bench.settle()
    assert due.judged_until_ms == bench.now_ms()

    monkeypatch.setattr(due_queue, "JUDGED_AT_ONCE_MAX", 3)
    for number in range(4):
        bench.link(number, START - 5)
    bench.settle()
    assert due.judged_until_ms < bench.now_ms()
    bench.settle()
    assert due.judged_until_ms == bench.now_ms()

    before_ms = bench.now_ms()
    bench.day += 2
    bench.settle()
    assert due.judged_until_ms == before_ms
    bench.settle()
    assert due.judged_until_ms == bench.now_ms()
