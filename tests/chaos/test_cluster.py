"""Three brokers: each is killed or restarted in turn, and one is gone for an hour or for good."""

import gc
import os
import random
import signal
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from flatline.admin.topics import check_topics
from flatline.kafka.cluster import KafkaCluster
from tests.chaos.cluster import NODES, Cluster
from tests.chaos.events import Shares
from tests.chaos.producing import ANY_SOURCE, importing, pushing
from tests.chaos.saying import say
from tests.chaos.scale import full_only, pick
from tests.chaos.trial import EXIT_SOFTWARE, Trial, running_trial
from tests.connectors.pushing import running_ingest
from tests.waiting import until

LINES = pick(short=20_000, full=700_000)
PUSHED_AT_ONCE = pick(short=100, full=1_000)
PUSHED_WHILE_DOWN = 50
BETWEEN_PUSHES_S = pick(short=0.0, full=1.0)
INTERNAL = ("__consumer_offsets", "__transaction_state")
BETWEEN_S = pick(short=0.5, full=3.0)
BETWEEN_PUSHES_OF_RESTARTS_S = pick(short=0.1, full=1.0)
IMPORTED_WITHIN_S = pick(short=120.0, full=1_800.0)
ROUNDS = pick(short=1, full=5)
DOWN_MINUTES = float(os.environ.get("CHAOS_MINUTES") or 60)
NO_POISON = Shares(poison=0)
"""What can't be read, no producer of ours lets in: it comes by itself."""


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return three brokers that the tests of this file share."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        cluster.start(*NODES)
        yield cluster
    finally:
        cluster.kill(*NODES)
        with warnings.catch_warnings():
            # A client of ours that connects to a broker which is not there forgets its socket.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture
def cluster(brokers: Cluster) -> Cluster:
    """Return three brokers that run, whatever the test before did to them."""
    brokers.start(*brokers.down)
    brokers.wait_whole()
    return brokers


def test_leaders_are_killed(cluster: Cluster, namespace: str, tmp_path: Path, seed: int, chance: random.Random) -> None:
    """Whatever Kafka acknowledged to an import or an ingest is in the log, and every link is counted once.

    The last broker that is killed stays away: two of three go on without it.
    """
    with running_trial(cluster.bootstrap, namespace, tmp_path, seed, replication_factor=3, shares=NO_POISON) as trial:
        installation = trial.installation
        for number in (1, 2):
            installation.start(number)
        installation.wait_ready(1, 2)
        until(
            "the topics are as declared", lambda: not check_topics(KafkaCluster(cluster.bootstrap), trial.topics.all())
        )
        lines = [record.value or b"" for record in islice(trial.events, LINES)]
        file = tmp_path / "history.ndjson"
        file.write_bytes(b"\n".join(lines))
        all_names = (*(topic.name for topic in trial.topics.all()), *INTERNAL)
        names = pick(short=(trial.topics.links.name, trial.topics.changelog.name), full=all_names)
        with (
            running_ingest(installation.environment, trial.topics, tmp_path, source=ANY_SOURCE) as ingest,
            importing(file, installation.environment, patience_s=IMPORTED_WITHIN_S),
            pushing(ingest, trial.events, at_once=PUSHED_AT_ONCE, pause_s=BETWEEN_PUSHES_S) as pushed,
        ):
            away: int | None = None
            for name in names:
                if away is not None:
                    cluster.start(away)
                    cluster.wait_whole()
                _wait_flowing(pushed)
                away = cluster.leader(name)
                say(f"broker {away}, which leads {name}, is killed")
                cluster.kill(away)
                installation.tend(BETWEEN_S + chance.uniform(0, BETWEEN_S))
                # Somebody else leads now: what is sent from here on is acknowledged again.
                _wait_flowing(pushed)
                installation.tend(BETWEEN_S)
        acknowledged = {*lines, *pushed}
        say(f"{len(lines)} events were imported and {len(pushed)} pushed")
        _check(trial, acknowledged, "with one broker down for good")


def test_brokers_and_workers_are_restarted_in_turn(cluster: Cluster, namespace: str, tmp_path: Path, seed: int) -> None:
    """Events are pushed meanwhile, and every link is counted once.

    On a machine that is too busy a worker may end itself, as it can't tell that from a hang. It is started again.
    """
    with running_trial(cluster.bootstrap, namespace, tmp_path, seed, replication_factor=3, shares=NO_POISON) as trial:
        installation = trial.installation
        for number in (1, 2):
            installation.start(number)
        installation.wait_ready(1, 2)
        with (
            running_ingest(installation.environment, trial.topics, tmp_path, source=ANY_SOURCE) as ingest,
            pushing(ingest, trial.events, at_once=PUSHED_AT_ONCE, pause_s=BETWEEN_PUSHES_OF_RESTARTS_S) as pushed,
        ):
            for _ in range(ROUNDS):
                for node in NODES:
                    cluster.stop(node)
                    _wait_flowing(pushed)
                    cluster.start(node)
                    cluster.wait_whole()
                    installation.tend(BETWEEN_S)
                for number in (1, 2):
                    assert installation.kill(number, signal.SIGTERM) in (0, EXIT_SOFTWARE)
                    _wait_flowing(pushed)
                    installation.start(number)
                    installation.wait_ready(number)
        say(f"{len(pushed)} events were pushed")
        _check(trial, set(pushed), "after the restarts")


@full_only
@pytest.mark.timeout(DOWN_MINUTES * 60 + 1_800)
def test_a_broker_is_down_for_an_hour(cluster: Cluster, namespace: str, tmp_path: Path, seed: int) -> None:
    """Two of three go on without it; when it is back it gets what it missed, and every link is counted once."""
    with running_trial(cluster.bootstrap, namespace, tmp_path, seed, replication_factor=3, shares=NO_POISON) as trial:
        installation = trial.installation
        for number in (1, 2):
            installation.start(number)
        installation.wait_ready(1, 2)
        with (
            running_ingest(installation.environment, trial.topics, tmp_path, source=ANY_SOURCE) as ingest,
            pushing(ingest, trial.events, at_once=PUSHED_WHILE_DOWN, pause_s=1.0) as pushed,
        ):
            down = cluster.leader(trial.topics.links.name)
            cluster.kill(down)
            installation.tend(DOWN_MINUTES * 60)
            _wait_flowing(pushed)
            cluster.start(down)
            cluster.wait_whole()
            _wait_flowing(pushed)
        say(f"{len(pushed)} events were pushed, most of them while broker {down} was down")
        _check(trial, set(pushed), "with the broker back")


def _wait_flowing(pushed: list[bytes]) -> None:
    """Wait until something is acknowledged that was pushed from now on."""
    before = len(pushed)
    until("events flow", lambda: len(pushed) > before)


def _check(trial: Trial, acknowledged: set[bytes], when: str) -> None:
    """Whatever was acknowledged is in the log, and is counted once."""
    trial.wait_caught_up()
    lost = acknowledged - {record.value or b"" for record in trial.records()}
    assert not lost, f"{len(lost)} of {len(acknowledged)} acknowledged events are gone: {next(iter(lost))!r}"
    trial.check_now(when)
