"""How long the policy lab takes: `python -m tests.bench.policy_lab`.

A read model of 5,000 articles with two to four years of links each. A trial reads them and tries thresholds beside
those in force; the next one, of other thresholds, tries alone. Next to both: a replay of the same articles day by day,
which `flatline backtest` does.
"""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import orjson

from flatline.backtest.histories import Histories
from flatline.backtest.replay import replay
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, day_of, to_datetime
from flatline.policy_file import PolicyFile
from flatline.readmodel.policy_lab import PolicyLab, PolicyTrial, ThresholdsMoved
from flatline.readmodel.projection import Projection
from flatline.readmodel.sqlite_file import SqliteFile
from flatline.schema.topics import Topics
from flatline.schema.verdict import State
from tests.bench.part import WrongResult, run, setting
from tests.readmodel.projecting import Read

ARTICLES: Final = 5_000
REPLAYED: Final = 200  # of them: all would take minutes
BATCH: Final = 5_000
NOW_MS: Final = 1_790_000_000_000
_MOVED: Final = (ThresholdsMoved(), ThresholdsMoved(silent_score=0.5), ThresholdsMoved(silent_score=0.7, silent_gaps=3))


class _Line:
    def __init__(self, number: int, value: bytes) -> None:
        self.number, self.value = number, value


def measure(bootstrap: str, folder: Path) -> dict[str, float]:  # noqa: ARG001 - as of each part
    """Return the seconds of the first trial and of the next ones, and those of a replay. Raises WrongResult."""
    number, topics = setting("POLICY_ARTICLES", ARTICLES), Topics()
    lines = [line for article in range(number) for line in _links(article)]
    made = SqliteFile(folder / "readmodel.db", readers=1, deadline_s=600)
    projection = Projection(made, topics, Policy())
    for begin in range(0, len(lines), BATCH):
        batch = [Read(begin + at, NOW_MS, b"", line) for at, line in enumerate(lines[begin : begin + BATCH])]
        projection.apply({(topics.links.name, 0): batch})
    lab = PolicyLab(PolicyFile(), Policy().hazard)
    taken_s, trials = [], []
    for moved in _MOVED:
        begin_s = time.perf_counter()
        with made.reading() as connection:
            trials.append(lab.trial(connection, moved, now_ms=NOW_MS))
        taken_s.append(time.perf_counter() - begin_s)
    made.close()
    replayed_s = _check(trials[0], lines) / REPLAYED * number
    return {
        "policy_lab_links": float(len(lines)),
        "policy_lab_first_trial_s": taken_s[0],
        "policy_lab_next_trial_s": max(taken_s[1:]),
        "policy_lab_replay_over_first_trial": replayed_s / taken_s[0],
    }


def _check(trial: PolicyTrial, lines: list[bytes]) -> float:
    """Return how long a replay of the first REPLAYED articles takes. Raises WrongResult if it says something else."""
    histories, end_day = Histories(), day_of(NOW_MS) - 1
    histories.read_links("", [_Line(at, line) for at, line in enumerate(lines)], recorded_ms=NOW_MS)
    chosen = [histories.of(f"https://yours.example/{article}".encode()) for article in range(REPLAYED)]
    days = [history.link_days() for history in chosen]
    begin_s, policy, expected = time.perf_counter(), Policy(), set()
    for history, of_history in zip(chosen, days, strict=True):
        for alert in replay(history, policy, link_days=of_history, end_day=end_day):
            at = to_datetime(alert.day * DAY_MS).date()
            if alert.kind is State.SILENT and at >= trial.since:
                expected.add((alert.key.decode(), at))
    taken_s = time.perf_counter() - begin_s
    keys = {history.key.decode() for history in chosen}
    found = {(each.article, each.tried.alerted_on) for each in trial.pauses if each.tried and each.article in keys}
    if not trial.pauses_left_out and found != expected:
        raise WrongResult(f"the trial has {len(found)} alerts of these articles, and the replay {len(expected)}")
    return taken_s


def _links(article: int) -> Iterator[bytes]:
    """Yield the links of an article, as JSON: some of them stop, and all pause now and then."""
    chance = random.Random(article)
    at_days, end_days = 0.0, chance.choice((700, 1_100, 1_460))
    mean_gap_days, number = chance.uniform(5, 60), 0
    while True:
        at_days += chance.expovariate(1 / mean_gap_days) * (8 if chance.random() < 0.05 else 1)
        if at_days >= end_days:
            return
        number += 1
        yield orjson.dumps(
            {
                "url_from": f"https://site{number}.example/{article}",
                "url_to": f"https://yours.example/{article}",
                "occurred_at": to_datetime(NOW_MS - int((1_461 - at_days) * DAY_MS)),
            }
        )


if __name__ == "__main__":
    sys.exit(run(measure))
