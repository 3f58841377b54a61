"""The state is made anew from the log, while the old one serves: whatever is killed, it is the same state."""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaAdminClient, TopicPartition

from flatline.agents.former_topics import group_of
from flatline.engine.log import Outgoing
from flatline.engine.partition import Partition
from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.latest_verdicts import latest_values
from flatline.rebuild.extent import committed_by, ends_of, log_of
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics
from tests.chaos.events import Events, Shares
from tests.chaos.flow import write_all
from tests.chaos.scale import pick
from tests.chaos.trial import PARTITIONS, Trial
from tests.integration.reading import read
from tests.integration.running import FLATLINE
from tests.waiting import PATIENCE_S, until

# A client of kafka-python that asks for a group which is only coming into being forgets a socket.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

EVENTS = pick(short=6_000, full=300_000)
EVENTS_PER_S = pick(short=500, full=3_000)
# More, and fewer, which is the first number again.
REPARTITIONS = pick(short=(6, PARTITIONS), full=(6, 3, PARTITIONS))
SLOW_REBUILD = Path(__file__).with_name("slow_rebuild.py")


def test_rebuilt_equals_live(trial: Trial) -> None:
    """A rebuild that is killed half-way and run again makes the state that serves: all articles, all verdicts.

    Another one, while events flow, misses none; and so does the way back to the state before.
    """
    installation = trial.installation
    for number in (1, 2):
        installation.start(number)
    installation.wait_ready(1, 2)
    write_all(trial.bootstrap, _known_events(trial))
    trial.wait_caught_up()
    live, live_state = installation.articles(), _state(trial)

    second = _with_state(trial, 2)
    _kill_half_way(trial, second)
    said = installation.run("state", "show", "--json")
    assert (orjson.loads(said)["state"], orjson.loads(said)["building"]) == (1, 2)
    installation.run("state", "rebuild")
    _wait_serving(second)
    second.wait_caught_up()
    assert _state(second) == live_state
    rebuilt = installation.articles()
    assert {key: _without_times(row) for key, row in rebuilt.items()} == {
        key: _without_times(row) for key, row in live.items()
    }

    third = _with_state(trial, 3)
    with trial.flow(EVENTS_PER_S) as flow:
        flow.wait_written(EVENTS_PER_S)
        installation.run("state", "rebuild")
        _wait_serving(third)
        flow.wait_written(flow.written + EVENTS_PER_S)
    third.check_now("after a rebuild while events flowed")
    write_all(trial.bootstrap, trial.events.one_each())
    installation.run("state", "back")
    _wait_serving(second)
    second.check_now("with the state before")
    assert not installation.ends


def test_a_lost_state_is_made_anew(trial: Trial) -> None:
    """Without a changelog workers refuse; after a rebuild they go on, and articles stand as it was said of them."""
    installation = trial.installation
    installation.start(1)
    write_all(trial.bootstrap, _known_events(trial))
    trial.wait_caught_up()
    live, live_state = installation.articles(), _state(trial)
    installation.kill(1)
    with KafkaAdminClient(bootstrap_servers=trial.bootstrap) as admin:
        admin.delete_topics([trial.topics.changelog.name])
    installation.run("state", "rebuild")
    second = _with_state(trial, 2)
    installation.start(1)
    installation.wait_ready(1)
    second.check_now()
    assert _state(second).keys() == live_state.keys()
    stood = {key: (row["state"], row["since"]) for key, row in live.items()}
    assert {key: (row["state"], row["since"]) for key, row in installation.articles().items()} == stood


def test_an_ignore_that_was_lifted_counts_again(trial: Trial, tmp_path: Path) -> None:
    """What the policy ignored is in the log: a rebuild by the new policy counts it."""
    installation, ignoring = trial.installation, tmp_path / "policy.toml"
    ignoring.write_text('[ignore]\nsources = ["crawler-1"]\n')
    installation.start(1, FLATLINE_POLICY_FILE=str(ignoring))
    write_all(trial.bootstrap, islice(trial.events, EVENTS))
    trial.wait_caught_up()
    ignored = _gained(trial)
    installation.kill(1)
    installation.run("state", "rebuild")
    installation.start(1)
    _with_state(trial, 2).check_now()
    assert _gained(trial) > ignored


def test_a_log_that_lost_its_beginning_is_refused(trial: Trial, seed: int) -> None:
    """The oldest offset is named, and nothing is done; told to go on, it makes a state of what there is."""
    trial = replace(trial, events=Events(trial.topics, seed=seed, shares=Shares(poison=0)))
    installation = trial.installation
    installation.start(1)
    write_all(trial.bootstrap, islice(trial.events, EVENTS))
    trial.wait_caught_up()
    with KafkaAdminClient(bootstrap_servers=trial.bootstrap) as admin:
        admin.delete_records({TopicPartition(trial.topics.links.name, 1): 100})
    done = _flatline(trial, "state", "rebuild")
    assert done.returncode == 1
    assert f"{trial.topics.links.name}, partition 1: the oldest offset is 100, of 20" in done.stderr
    assert "`--incomplete` goes on" in done.stderr
    assert orjson.loads(installation.run("state", "show", "--json"))["generation"] == 1
    installation.run("state", "rebuild", "--incomplete")
    second = _with_state(trial, 2)
    _wait_serving(second)
    second.check_now()


def test_another_number_of_partitions_and_back(trial: Trial, seed: int) -> None:
    """More partitions, fewer, and the first number again, while producers go on writing to the topics of before.

    Each record is in the topics that serve, and is counted once.
    """
    # The coordinates of dead letters are those of the topics that they were in: there are none here.
    trial = replace(trial, events=Events(trial.topics, seed=seed, shares=Shares(poison=0)))
    installation, first = trial.installation, trial.topics
    for number in (1, 2):
        installation.start(number)
    installation.wait_ready(1, 2)
    write_all(trial.bootstrap, _known_events(trial))
    with trial.flow(EVENTS_PER_S) as flow:
        for step, partitions in enumerate(REPARTITIONS, start=2):
            flow.wait_written(flow.written + EVENTS_PER_S)
            installation.run("topics", "repartition", str(partitions))
            namespace = trial.topics.namespace
            trial = replace(trial, topics=Topics(namespace=namespace, partitions=partitions, layout=step, state=step))
            _wait_serving(trial)
    _wait_followed(trial, first)
    trial.check_now("after the repartitions")
    written = {record.value for record in read(trial.bootstrap, first.links, isolation_level="read_committed")}
    assert {record.value for record in trial.records()} == written
    titles = {f"Number {number}" for number in range(len(trial.events.articles[::10]))}
    assert titles <= {row["title"] for row in _verdicts(trial)}
    assert not installation.ends


def _wait_followed(trial: Trial, former: Topics) -> None:
    """Wait until the workers have sent on all that is in former topics."""

    def is_followed() -> bool:
        trial.installation.tend(0.1)
        sent_on = committed_by(group_of(former), [former.links], cluster=KafkaCluster(trial.bootstrap))
        return sent_on.total >= ends_of([former.links], cluster=KafkaCluster(trial.bootstrap)).total

    until("all is sent on", is_followed)


def _verdicts(trial: Trial) -> list[dict[str, Any]]:
    return [
        orjson.loads(value) for value in latest_values(KafkaCluster(trial.bootstrap), trial.topics.verdicts).values()
    ]


def _with_state(trial: Trial, number: int) -> Trial:
    topics = Topics(namespace=trial.topics.namespace, partitions=PARTITIONS, state=number)
    return replace(trial, topics=topics)


def _known_events(trial: Trial) -> Iterator[Outgoing]:
    """Yield events, one for each article among them: the reference has no row of one that is registered alone."""
    yield from trial.events.one_each()
    yield from islice(trial.events, EVENTS)
    yield from _articles_and_visits(trial)


def _articles_and_visits(trial: Trial) -> Iterable[Outgoing]:
    for number, url in enumerate(trial.events.articles[::10]):
        partition = partition_of(url.encode(), PARTITIONS)
        article = {"url": url, "title": f"Number {number}", "series": f"Series {number % 3}", "tier": 1 + number % 3}
        yield Outgoing(trial.topics.articles.name, partition, url.encode(), orjson.dumps(article))
        visits = {"url": url, "domain": "site1.com", "day": f"2026-01-{1 + number % 28:02}", "visits": number}
        yield Outgoing(trial.topics.visits.name, partition, url.encode(), orjson.dumps(visits))


def _kill_half_way(trial: Trial, target: Trial) -> None:
    """Begin a rebuild, and kill it when it has committed something, and not everything."""
    everything = committed_by(trial.topics.group, log_of(trial.topics), cluster=KafkaCluster(trial.bootstrap)).total
    environment = trial.installation.environment
    with subprocess.Popen([sys.executable, str(SLOW_REBUILD)], env=environment, stderr=subprocess.DEVNULL) as rebuild:

        def committed() -> int:
            assert rebuild.poll() is None, "it came to its end"
            return committed_by(target.topics.group, log_of(target.topics), cluster=KafkaCluster(trial.bootstrap)).total

        until("a part is rebuilt", lambda: committed() > everything // 4)
        rebuild.kill()


def _wait_serving(trial: Trial) -> None:
    """Wait until all workers have gone over."""

    def members() -> int:
        trial.installation.tend(0.1)
        with KafkaAdminClient(bootstrap_servers=trial.bootstrap) as admin:
            group = admin.describe_groups([trial.topics.group])[trial.topics.group]
            return len(group["members"]) if group["group_state"] == "Stable" else 0

    until("the workers have gone over", lambda: members() == len(trial.installation.numbers))
    trial.installation.wait_ready(*trial.installation.numbers)


def _state(trial: Trial) -> Mapping[bytes, tuple[Any, ...]]:
    """Return what the changelog holds of each article: what was counted, registered, watched and said."""
    partitions = [Partition() for _ in range(PARTITIONS)]
    for number, partition in enumerate(partitions):
        for key, value in latest_values(
            KafkaCluster(trial.bootstrap), trial.topics.changelog, partition=number
        ).items():
            partition.restore(key, value)
    found = {}
    for partition in partitions:
        for key in partition:
            article = partition.peek(key)
            assert article is not None
            header = article.header
            said = header.previous_verdict and (header.previous_verdict.state, header.previous_verdict.since_ms)
            years = sorted(article.visits.encode(only_changed=False))
            found[key] = article.totals, header.watched_since_ms, header.sources, header.registration, said, years
    return found


def _gained(trial: Trial) -> int:
    return sum(int(str(row["gained_total"])) for row in trial.installation.articles().values())


def _without_times(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if name != "judged_at"}


def _flatline(trial: Trial, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [FLATLINE, *arguments],
        env=trial.installation.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
