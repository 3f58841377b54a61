"""Events as bad as they come: repeated, disordered, misdated, misplaced, poisonous."""

import json
import urllib.request
from dataclasses import replace
from itertools import islice
from pathlib import Path

from flatline.engine.log import Outgoing
from flatline.local.pace import Pace
from flatline.local.ports import Ports
from flatline.local.prometheus import Prometheus
from flatline.local.supervisor import Supervisor
from tests.chaos.events import POISON, Events, Shares
from tests.chaos.flow import write_all
from tests.chaos.scale import pick
from tests.chaos.trial import Trial
from tests.waiting import until

EVENTS = pick(short=20_000, full=500_000)
FLOOD = 1_000
# A little less than the broker takes: its limit is 1 MiB and 12 bytes for a batch, with all that is around the value.
LARGEST_VALUE_BYTES = 1_048_450
VERY_BAD = Shares(repeated=0.1, undated=0.1, absurd=0.1, skewed=0.5, coarse=0.5, misplaced=0.3, poison=0.01)


def test_bad_events_are_right(trial: Trial, seed: int) -> None:
    """What can be read is counted right, wherever it lies; what can't is in the dead letters; no worker restarts."""
    trial = replace(trial, events=Events(trial.topics, seed=seed, articles=500, shares=VERY_BAD))
    for number in (1, 2):
        trial.installation.start(number)
    write_all(trial.bootstrap, islice(trial.events, EVENTS))
    trial.check_now()
    assert not trial.installation.ends


def test_the_largest_poison(trial: Trial) -> None:
    """A record as large as the broker takes, with a key and headers that make its dead letter larger, is no end."""
    topic = trial.topics.links.name
    header = [(POISON, b"too_long")]
    largest = Outgoing(topic, 0, None, b"x" * LARGEST_VALUE_BYTES, headers=header)
    long_key = Outgoing(topic, 1, b"k" * (LARGEST_VALUE_BYTES - 70_000), b"x" * 70_000, headers=header)
    many_headers = Outgoing(topic, 2, None, b"x" * 70_000, headers=[*header, *[("h", b"h" * 1_000)] * 900])
    trial.installation.start(1)
    trial.installation.wait_ready(1)
    for poison in (largest, long_key, many_headers):
        write_all(trial.bootstrap, [poison])
    write_all(trial.bootstrap, trial.events.one_each())
    trial.installation.tend(3)
    assert not trial.installation.ends, trial.installation.log(1)[-2_000:]
    trial.check_now()


def test_a_flood_of_poison_raises_an_alert(trial: Trial, tmp_path: Path) -> None:
    """Prometheus, with the project's rules, sees it on a worker; the events in between are counted."""
    trial.installation.start(1)
    trial.installation.wait_ready(1)
    prometheus = Prometheus(tmp_path / "prometheus", Ports(tmp_path / "prometheus-ports.json"))
    targets = {"flatline-worker": [trial.installation.address(1)]}
    targets |= {absent: [] for absent in ("flatline-ingest", "prometheus", "alertmanager")}
    with Supervisor(tmp_path / "logs", say=print) as supervisor:
        supervisor.start(prometheus.process(targets=targets, alertmanager="127.0.0.1:1", pace=Pace(86_400)))
        assert "DeadLetters" not in _firing(prometheus)
        write_all(trial.bootstrap, (trial.events.poison() for _ in range(FLOOD)))
        write_all(trial.bootstrap, trial.events.one_each())
        until("the alert fires", lambda: "DeadLetters" in _firing(prometheus))
    trial.check_now()
    assert not trial.installation.ends


def _firing(prometheus: Prometheus) -> set[str]:
    with urllib.request.urlopen(f"http://{prometheus.address}/api/v1/alerts") as answer:
        alerts = json.load(answer)["data"]["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}
