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
_TICK_S: Final = 0.01  # the kernel counts processor time in these


class Committed(NamedTuple):
    """What was committed when it was looked at."""

    at_s: float
    cpu_s: float  # what the worker had used by then
    offsets: tuple[int, ...]  # by partition

    @property
    def events(self) -> int:
        """How many, over all partitions."""
        return sum(self.offsets)


class Rates(NamedTuple):
    """Events per second, and per second of processor time, which others on the machine disturb less."""

    per_s: float
    per_cpu_s: float


def committed(worker: Worker) -> tuple[int, ...]:
    """Return what is committed of each partition. Raises WrongResult when the broker can't say."""
    with KafkaAdminClient(bootstrap_servers=worker.bootstrap) as admin:
        offsets = _offsets(admin, worker)
    if offsets is None:
        raise WrongResult(f"{worker.namespace}: what is committed can't be found out")
    return offsets


def follow(worker: Worker, *, after: tuple[int, ...], until: int) -> list[Committed]:
    """Return every change of what is committed, from ``after``, which is what was until now, to ``until`` events.

    Raises WrongResult when the commits come to an end before that, and LaunchError when the worker does.
    """
    seen = [Committed(time.monotonic(), worker.cpu_s, after)]
    with KafkaAdminClient(bootstrap_servers=worker.bootstrap) as admin:
        while seen[-1].events < until:
            worker.check_runs()
            if time.monotonic() > seen[-1].at_s + _GIVE_UP_AFTER_S:
                raise WrongResult(f"{worker.namespace}: {seen[-1].events:,} of {until:,} events are committed")
            offsets = _offsets(admin, worker)
            if offsets is not None and offsets != seen[-1].offsets:
                seen.append(Committed(time.monotonic(), worker.cpu_s, offsets))
            time.sleep(_ASK_EVERY_S)
    return seen


def rates(seen: Sequence[Committed], *, warm_up: int) -> Rates:
    """Return the rates after so many events, between commits while there was more to do.

    They are the sums of those of the partitions, each between two commits of its own: partitions commit one after the
    other. A partition's last commit waits for its timer, so it counts only where there are no two others, and the
    time before the warm-up only where there are no two commits after it.
    """
    per_s = per_cpu_s = 0.0
    for partition in range(len(seen[0].offsets)):
        commits = [later for one, later in pairwise(seen) if one.offsets[partition] != later.offsets[partition]]
        if not commits:
            continue
        warm = [commit for commit in commits if commit.events >= warm_up]
        first, *_, last = next(chosen for chosen in (warm[:-1], warm, [seen[0], commits[-1]]) if len(chosen) > 1)
        events = last.offsets[partition] - first.offsets[partition]
        per_s += events / (last.at_s - first.at_s)
        per_cpu_s += events / max(last.cpu_s - first.cpu_s, _TICK_S)
    return Rates(per_s, per_cpu_s)


def _offsets(admin: KafkaAdminClient, worker: Worker) -> tuple[int, ...] | None:
    """Return what is committed of each partition; None when the broker can't say just now."""
    group, links = worker.namespace, worker.topics.links
    partitions = [TopicPartition(links.name, number) for number in range(links.partitions)]
    try:
        found = admin.list_group_offsets({group: partitions})[group]
    except RetriableError:  # a busy broker loses the group's coordinator for a moment
        return None
    return tuple(max(int(found[partition].offset), 0) for partition in partitions)
