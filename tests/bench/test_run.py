from pathlib import Path

import pytest

from tests.bench import run as timing
from tests.bench.commits import Committed, Rates, rates
from tests.bench.run import Answer, Run, Stopwatch, Totals


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return one of 100 events, of which 20 are applied before the time runs."""
    return Run("127.0.0.1:1", "race-0", partitions=4, events=100, warm_up=20, namespace="ours-1", folder=tmp_path)


def test_a_peer_gets_its_run_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the benchmark says is what a peer reads, types included."""
    for name, value in run.environment().items():
        monkeypatch.setenv(name, value)
    assert Run.from_environment() == run


@pytest.mark.parametrize("totals", [None, Totals(links=9, referring_domains=8, articles=7)])
def test_an_answer_is_read_as_it_was_given(run: Run, totals: Totals | None) -> None:
    """A peer that accumulates nothing has no totals."""
    answer = Answer(events_per_s=1_000.5, cpu_s_per_million_events=3.25, totals=totals)
    assert Answer.read(run) is None
    answer.give(run)
    assert Answer.read(run) == answer


def test_the_warm_up_is_neither_timed_nor_counted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch in which it ends is not counted: most of it was applied before the time ran."""
    now_s = 0.0
    monkeypatch.setattr(timing, "perf_counter", lambda: now_s)
    monkeypatch.setattr(timing, "process_time", lambda: now_s / 2)
    stopwatch = Stopwatch(run)
    now_s = 5.0
    assert not stopwatch.applied(10)
    assert not stopwatch.applied(30)
    now_s = 8.0
    assert stopwatch.applied(60)
    assert stopwatch.stop()(None) == Answer(events_per_s=20, cpu_s_per_million_events=25_000, totals=None)


def test_partitions_that_commit_one_after_the_other_are_timed_each_by_itself() -> None:
    """Four partitions take 100 events/s each; what they commit in one round lies up to a second apart."""
    seen, offsets = [Committed(0.0, 0.0, (0, 0, 0, 0))], [0, 0, 0, 0]
    for number in range(1, 6):
        for partition in range(4):
            at_s = number * 2.0 + partition * 0.3
            offsets[partition] = number * 200
            seen.append(Committed(at_s, at_s / 2, tuple(offsets)))
    measured = rates(seen, warm_up=200)
    assert measured.per_s == pytest.approx(400)
    assert measured.per_cpu_s == pytest.approx(800)


def test_a_single_commit_is_timed_from_the_beginning() -> None:
    """There is nothing else to time it by."""
    assert rates([Committed(1.0, 0.0, (50,)), Committed(3.0, 1.0, (250,))], warm_up=51) == Rates(100, 200)
