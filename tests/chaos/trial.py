"""One installation under faults, and the check of what came out of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from kafka import KafkaAdminClient

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.schema.topics import Topics
from tests.chaos.events import Events, Shares
from tests.chaos.flow import Flow, write_all
from tests.chaos.reference import Counts, reference
from tests.chaos.saying import say
from tests.integration.reading import Progress, Stored, progress, read
from tests.integration.running import Installation
from tests.waiting import PATIENCE_S, until

K = TypeVar("K")
V = TypeVar("V")

FAULTY_WORKER = Path(__file__).with_name("faulty_worker.py")
PARTITIONS = 4
EXIT_SOFTWARE = 70  # of a worker that can't go on safely
EXIT_REFUSED = 1  # of a worker that can't start: no broker, or something that a person has to mend
SESSION_TIMEOUT_S = 20.0
SHORTEST_SESSION_TIMEOUT_S = 6.0  # that a broker allows
SETTLED_S = 20.0
CATCH_UP_S = PATIENCE_S  # a rebalance after a broker's death alone may take a minute


@dataclass(frozen=True)
class Trial:
    """An installation, the Kafka that it runs on, its topics, and the events that flow to it.

    ``session_timeout_s``  after how long without a sign of life a worker's group gives it up
    """

    installation: Installation
    bootstrap: str
    topics: Topics
    events: Events
    session_timeout_s: float

    def flow(self, rate_per_s: float) -> Flow:
        """Return a flow of the events; it begins with the block."""
        return Flow(self.bootstrap, self.events, rate_per_s=rate_per_s)

    def progress(self) -> Progress:
        """Look how far the workers are."""
        return progress(self.bootstrap, self.topics)

    def wait_caught_up(self) -> None:
        """Wait until the workers, tended, have committed everything."""

        def has_caught_up() -> bool:
            self.installation.tend(0.5)
            return self.progress().is_complete

        until("all is committed", has_caught_up, timeout_s=CATCH_UP_S)

    def records(self) -> Iterator[Stored]:
        """Yield the records that are in the topic of links now: a million of them in memory take a gigabyte."""
        return read(self.bootstrap, self.topics.links, isolation_level="read_committed")

    def check(self, *, also: Sequence[Stored] = ()) -> None:
        """Wait until the workers have caught up: the state of every article, and every dead letter, must be right.

        Workers that ended themselves must have done so as one does that can't go on safely, or finds no broker.

        All that once more after a restart of all workers and one more link for every article: what they knew could have
        been right, and what they wrote wrong. ``also`` are records that count and are no longer in the topic.
        """
        self.check_now("before a restart", also=also)
        self.installation.restart()
        write_all(self.bootstrap, self.events.one_each())
        self.check_now("after a restart", also=also)

    def check_now(self, when: str = "at the end", *, also: Sequence[Stored] = ()) -> None:
        """Check it once, without a restart: where nothing was disturbed that outlives a worker."""
        self.wait_caught_up()
        ends = Counter(end.exit_code for end in self.installation.ends)
        assert ends.keys() <= {EXIT_SOFTWARE, EXIT_REFUSED}
        expected = reference(chain(also, self.records()))
        wrong = _wrong(self._counted(), expected.counts)
        if wrong:
            # Whether verdicts were late or events were lost is all that one wants to know then.
            self.installation.tend(SETTLED_S)
            later = _wrong(self._counted(), expected.counts)
            raise AssertionError(
                f"{when} {len(wrong)} of {len(expected.counts)} articles are wrong, "
                f"and {len(later)} {SETTLED_S:g} s later: {_some(wrong)}"
            )
        letters = {
            (int(letter.headers["partition"]), int(letter.headers["offset"])): letter.headers["reason"]
            for letter in read(self.bootstrap, self.topics.dead_letters, isolation_level="read_committed")
        }
        wrong_letters = _wrong(letters, expected.poison)
        assert not wrong_letters, (
            f"{when} {len(wrong_letters)} of {len(expected.poison)} dead letters are wrong: {_some(wrong_letters)}"
        )
        say(f"{when}: {len(expected.counts)} articles and {len(expected.poison)} dead letters are right")
        if ends:
            say(f"workers ended themselves: {dict(ends)} (by exit code)")

    def _counted(self) -> dict[str, Counts]:
        return {article: _counts(row) for article, row in self.installation.articles(wait_s=CATCH_UP_S).items()}


@contextmanager
def running_trial(
    bootstrap: str,
    namespace: str,
    folder: Path,
    seed: int,
    *,
    session_timeout_s: float = SESSION_TIMEOUT_S,
    replication_factor: int = 1,
    shares: Shares | None = None,
) -> Iterator[Trial]:
    """Make an installation without workers; at the end of the block none of its workers is left."""
    topics = Topics(namespace=namespace, partitions=PARTITIONS, replication_factor=replication_factor)
    settings = {
        "FLATLINE_PARTITIONS": str(PARTITIONS),
        "FLATLINE_REPLICATION_FACTOR": str(replication_factor),
        "FLATLINE_SESSION_TIMEOUT_S": str(session_timeout_s),
    }
    ensure_topics(KafkaCluster(bootstrap), topics.all())
    with closing(Installation(bootstrap, namespace, folder, **settings)) as installation:
        yield Trial(installation, bootstrap, topics, Events(topics, seed=seed, shares=shares), session_timeout_s)
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:  # a broker's restart takes longer with every topic
        admin.delete_topics([name for name in admin.list_topics() if name.startswith(f"{namespace}.")])


def _wrong(found: dict[K, V], expected: dict[K, V]) -> dict[K, tuple[V | None, V | None]]:
    """Return what was found and what was expected, where that is not the same."""
    return {
        key: (found.get(key), expected.get(key))
        for key in found.keys() | expected.keys()
        if found.get(key) != expected.get(key)
    }


def _some(wrong: dict[K, tuple[V | None, V | None]]) -> str:
    return ", ".join(f"{key}: {found} instead of {expected}" for key, (found, expected) in islice(wrong.items(), 5))


def _counts(row: dict[str, object]) -> Counts:
    last = row["last_gained_at"]
    return Counts(
        gained_total=row["gained_total"],  # type: ignore[arg-type]
        lost_total=row["lost_total"],  # type: ignore[arg-type]
        live=row["live"],  # type: ignore[arg-type]
        referring_domains=row["referring_domains"],  # type: ignore[arg-type]
        last_gained_ms=None if last is None else round(datetime.fromisoformat(str(last)).timestamp() * 1000),
    )
