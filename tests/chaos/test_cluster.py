"""Three brokers: the leader of each topic is killed in turn, and one broker is gone for good."""

import gc
import random
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
from tests.chaos.scale import pick
from tests.chaos.trial import running_trial
from tests.connectors.pushing import running_ingest
from tests.waiting import until

LINES = pick(short=20_000, full=700_000)
PUSHED_AT_ONCE = pick(short=100, full=1_000)
BETWEEN_PUSHES_S = pick(short=0.0, full=1.0)
INTERNAL = ("__consumer_offsets", "__transaction_state")
BETWEEN_S = pick(short=0.5, full=3.0)
IMPORTED_WITHIN_S = pick(short=120.0, full=1_800.0)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Return three brokers that run."""
    cluster = Cluster(tmp_path / "cluster")
    try:
        cluster.start(*NODES)
        yield cluster
    finally:
        cluster.kill(*NODES)
        with warnings.catch_warnings():
            # A client of ours that connects to a broker which is not there forgets its socket.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def test_leaders_are_killed(cluster: Cluster, namespace: str, tmp_path: Path, seed: int, chance: random.Random) -> None:
    """Whatever Kafka acknowledged to an import or an ingest is in the log, and every link is counted once.

    The last broker that is killed stays away: two of three go on without it.
    """
    shares = Shares(poison=0)  # what can't be read no producer of ours lets in: it comes by itself
    with running_trial(cluster.bootstrap, namespace, tmp_path, seed, replication_factor=3, shares=shares) as trial:
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
                before = len(pushed)
                until("events flow", lambda before=before: len(pushed) > before)  # type: ignore[misc]
                away = cluster.leader(name)
                say(f"broker {away}, which leads {name}, is killed")
                cluster.kill(away)
                installation.tend(BETWEEN_S + chance.uniform(0, BETWEEN_S))
                # Somebody else leads now: what is sent from here on is acknowledged again.
                before = len(pushed)
                until("events flow again", lambda before=before: len(pushed) > before)  # type: ignore[misc]
                installation.tend(BETWEEN_S)
        acknowledged = {*lines, *pushed}
        say(f"{len(lines)} events were imported and {len(pushed)} pushed")
        trial.wait_caught_up()
        count, lost = len(acknowledged), acknowledged
        lost.difference_update(record.value or b"" for record in trial.records())
        assert not lost, f"{len(lost)} of {count} acknowledged events are gone: {next(iter(lost))!r}"
        trial.check_now("with one broker down for good")
