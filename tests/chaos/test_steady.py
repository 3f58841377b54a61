"""A long time at a steady rate."""

import os
import re
import statistics
from dataclasses import replace
from typing import NamedTuple

import pytest

from tests.chaos.events import Events, Shares
from tests.chaos.saying import say
from tests.chaos.scale import full_only
from tests.chaos.trial import Trial

MINUTES = float(os.environ.get("CHAOS_MINUTES") or 30)
EVENTS_PER_S = 1_000
ARTICLES = 1_000
PAGES_MAX = 50  # of an article: after the warm-up all links are known, and state grows no more
LOOK_EVERY_S = 5.0
WARM_UP_SHARE = 0.3
SLOPE_MAX_MB_PER_H = 20.0
LAG_MAX_S = 10.0  # of events


class Look(NamedTuple):
    """What a worker's metrics said."""

    at_s: float
    resident_mb: float
    lag_records: float


@full_only
@pytest.mark.timeout(MINUTES * 60 + 1800)
def test_memory_and_lag_stay_level(trial: Trial, seed: int) -> None:
    """Two workers at a rate that they can bear: what they hold does not grow, and nothing piles up."""
    events = Events(trial.topics, seed=seed, articles=ARTICLES, pages_max=PAGES_MAX, shares=Shares())
    trial = replace(trial, events=events)
    installation = trial.installation
    numbers = (1, 2)
    for number in numbers:
        installation.start(number)
    installation.wait_ready(*numbers)
    looks: dict[int, list[Look]] = {number: [] for number in numbers}
    with trial.flow(EVENTS_PER_S):
        for round_ in range(int(MINUTES * 60 / LOOK_EVERY_S)):
            installation.tend(LOOK_EVERY_S)
            for number in numbers:
                looks[number].append(_look(installation.get(number, "/metrics")[1], round_ * LOOK_EVERY_S))
    assert not installation.ends
    for number in numbers:
        steady = looks[number][int(len(looks[number]) * WARM_UP_SHARE) :]
        slope = 3_600 * statistics.linear_regression([x.at_s for x in steady], [x.resident_mb for x in steady]).slope
        lag_s = max(look.lag_records for look in steady) / EVENTS_PER_S
        say(
            f"worker {number} over {MINUTES:g} minutes: {steady[-1].resident_mb:.0f} MB, slope {slope:+.1f} MB/h; "
            f"lag at most {lag_s:.1f} s"
        )
        assert slope < SLOPE_MAX_MB_PER_H
        assert lag_s < LAG_MAX_S
    trial.check()


def _look(metrics: str, at_s: float) -> Look:
    def total(name: str) -> float:
        return sum(map(float, re.findall(rf"^{name}(?:{{.*}})? (\S+)$", metrics, re.MULTILINE)))

    return Look(at_s, total("process_resident_memory_bytes") / 1e6, total("flatline_consumer_lag_records"))
