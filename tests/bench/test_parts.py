"""Every part of the benchmark on few events and without foreign peers: it runs, and checks its own result."""

import importlib
import math
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from flatline.core import why_not_native
from flatline.local import programs
from tests.bench import hot_article, ours, profile, targets
from tests.bench.__main__ import PARTS
from tests.bench.part import WrongResult
from tests.bench.run import Totals

SMALL: Final = {
    "EVENTS": "3000",
    "REPEATS": "1",
    "CORE_SPREAD": "0",
    "PEERS": "ceiling",
    "ARTICLES": "150",
    "LINKS": "1500",
    "FEW_ARTICLES": "50",
    "FAST_ARTICLES": "100",
    "IDLE_S": "1",
    "IDLE_DAY_S": "3",
    "SLOWDOWN_ROUNDS": "1",
    "SLOWDOWN_PROBE_EVENTS": "1000",
    "SLOWDOWN_EVENTS": "3000",
    "LATENCY_EVENTS_PER_S": "500",
    "LATENCY_SECONDS": "2",
    "LATENCY_WARM_UP_S": "0",
    "INGEST_ROUNDS": "1",
    "INGEST_MS": "300",
    "RESTART_ARTICLES": "300",
    "RESTART_REGISTERED": "200",
    "RESTART_SOURCES": "40",
    "RESTART_S": "1",
    "MEMORY_LINKS": "3000",
    "PARTITIONS_FEW": "1",
    "PARTITIONS_MANY": "9",
    "PARTITIONS_IDLE_S": "1",
    "POLICY_ARTICLES": "250",
}


Measure = Callable[[str], dict[str, float]]


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """Make each part so small that little but its starts takes time."""
    with pytest.MonkeyPatch.context() as patch:
        for name, size in SMALL.items():
            patch.setenv(name, size)
        patch.syspath_prepend(programs.PROJECT)  # for the processes that a part starts
        yield


@pytest.fixture(scope="module")
def figures_of(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Measure:
    """Return what measures a part, once."""

    @cache
    def measure(part: str) -> dict[str, float]:
        folder = tmp_path_factory.mktemp(part, numbered=False)
        found: dict[str, float] = importlib.import_module(f"tests.bench.{part}").measure(kafka_bootstrap, folder)
        return found

    return measure


@pytest.mark.parametrize("part", PARTS)
def test_a_part_runs_and_its_result_is_right(part: str, figures_of: Measure) -> None:
    """A part raises WrongResult unless what came out is what its events were made from."""
    if part == "native_core" and why_not_native():
        pytest.skip(why_not_native())
    figures = figures_of(part)
    assert figures
    assert all(math.isfinite(figure) for figure in figures.values()), figures


@pytest.mark.timeout(1_200)
def test_every_target_is_one_of_a_figure(figures_of: Measure) -> None:
    """A target that nothing is measured for can't be missed. Those beside foreign peers are not measured here."""
    foreign = {"vs_kafka_streams", "vs_bytewax", "vs_faust"}
    assert {*targets.AT_LEAST, *targets.AT_MOST} - foreign <= set().union(*map(figures_of, PARTS))


def test_a_wrong_result_has_no_figure(kafka_bootstrap: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker whose verdicts tell of other links than those of the events ends the run."""
    monkeypatch.setattr(ours, "_published", lambda *_: Totals(1, 1, 1))
    folder = tmp_path / "wrong"
    folder.mkdir()
    with pytest.raises(WrongResult, match=r"links=1\b"):
        hot_article.measure(kafka_bootstrap, folder)


def test_the_profile_sees_the_worker_at_work(kafka_bootstrap: str, tmp_path: Path) -> None:
    """Its samples are of our worker's code, and each is in one of the groups."""
    groups, functions = profile.shares(profile.sample(kafka_bootstrap, tmp_path, events=3_000))
    assert groups.total() == functions.total() > 0
    assert groups[profile.GROUPS[0][0]] > 0
