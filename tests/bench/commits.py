"""A worker's commits, seen from outside: when the offsets of its consumer group moved, and what it had used by then.

What is committed was applied, judged and made durable before, so the time between two commits is that of all this.
"""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from kafka import KafkaAdminClient, TopicPartition
from kafka.errors import RetriableError

from tests.bench.part import WrongResult
from tests.bench.worker import Worker

_ASK_EVERY_S: Final = 0.05
_GIVE_UP_AFTER_S: Final = 600
# A round of commits is one a second at most, and the transactions of its partitions end one after the other.
_ROUNDS_APART_S: Final = 0.5
_TICK_S: Final = 0.01  # the kernel counts processor time in these


class Commit(NamedTuple):
    """A commit as it was seen."""

    at_s: float
    cpu_s: float  # what the worker had used by then
    events: int  # committed, over all partitions


class Rates(NamedTuple):
    """Events per second, and per second of processor time, which others on the machine disturb less."""

    per_s: float
    per_cpu_s: float


def follow(worker: Worker, *, after: int, until: int) -> list[Commit]:
    """Return every commit of events, from ``after`` events, which are committed by now, to ``until``.

    Raises WrongResult when the commits come to an end before that, and LaunchError when the worker does.
    """
    commits = [Commit(time.monotonic(), worker.cpu_s, after)]
    with KafkaAdminClient(bootstrap_servers=worker.bootstrap) as admin:
        while commits[-1].events < until:
            worker.check_runs()
            if time.monotonic() > commits[-1].at_s + _GIVE_UP_AFTER_S:
                raise WrongResult(f"{worker.namespace}: {commits[-1].events:,} of {until:,} events are committed")
            events = _committed(admin, worker)
            if events is not None and events != commits[-1].events:
                commits.append(Commit(time.monotonic(), worker.cpu_s, events))
            time.sleep(_ASK_EVERY_S)
    return commits


def rates(commits: Sequence[Commit], *, warm_up: int) -> Rates:
    """Return the rates after so many events, between commits while there was more to do.

    The last commit waits for its timer, so it counts only where there are no two others; and the time before the
    warm-up only where there are no two commits after it. Partitions that commit together count as one commit.
    """
    rounds = [one for one, after in pairwise(commits) if after.at_s - one.at_s >= _ROUNDS_APART_S] + [commits[-1]]
    warm = [commit for commit in rounds if commit.events >= warm_up]
    busy = warm[:-1]
    first, *_, last = next(chosen for chosen in (busy, warm, rounds, commits) if len(chosen) > 1)
    events = last.events - first.events
    return Rates(events / (last.at_s - first.at_s), events / max(last.cpu_s - first.cpu_s, _TICK_S))


def _committed(admin: KafkaAdminClient, worker: Worker) -> int | None:
    """Return the events committed over all partitions; None when the broker can't say just now."""
    group, links = worker.namespace, worker.topics.links
    partitions = [TopicPartition(links.name, number) for number in range(links.partitions)]
    try:
        found = admin.list_group_offsets({group: partitions})[group]
    except RetriableError:  # a busy broker loses the group's coordinator for a moment
        return None
    return sum(max(int(each.offset), 0) for each in found.values())
