import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from kafka import TopicPartition
from kafka.errors import KafkaError

from flatline.doctor.check_result import CheckResult
from flatline.kafka.cluster import AdminClient, Consumer, KafkaCluster
from flatline.schema.topics import Topics

Offsets = Mapping[TopicPartition, int]

_TIMEOUT_MS: Final = 10_000
# A worker that catches up commits every 5 s.
_PROGRESS_WITHIN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.5
_SHOWN_MAX: Final = 10
_GROUP = "consumer group"
_LAG = "consumer lag"
_MARKS = "; {marks} offsets of the lag are a producer's transaction markers, which is normal: they stay"


def examine_group(cluster: KafkaCluster, topics: Topics) -> list[CheckResult]:
    """Check the members of the workers' group, and what it has not read yet."""
    limits = {"bootstrap_timeout_ms": _TIMEOUT_MS, "request_timeout_ms": _TIMEOUT_MS}
    try:
        with (
            cluster.admin(**limits) as admin,
            _reader(cluster, **limits) as reader,
        ):
            group = admin.describe_groups([topics.group])[topics.group]
            members = len(group["members"])
            return [
                _examine_members(topics.group, members, state=group["group_state"]),
                _examine_lag(reader, topics, lambda: _committed(admin, topics.group), has_members=members > 0),
            ]
    except KafkaError as error:
        return [CheckResult.wrong(_GROUP, f"Kafka at {cluster} does not say how far it has read: {error}")]


@contextmanager
def _reader(cluster: KafkaCluster, **configuration: object) -> Iterator[Consumer]:
    # In no group: it takes part in nothing. What was aborted was never said.
    reader = cluster.consumer(
        group_id=None, enable_auto_commit=False, isolation_level="read_committed", max_poll_records=1, **configuration
    )
    try:
        yield reader
    finally:
        reader.close()


def _committed(admin: AdminClient, group: str) -> Offsets:
    return {tp: found.offset for tp, found in admin.list_group_offsets({group: None})[group].items()}


def _examine_members(group: str, members: int, *, state: str) -> CheckResult:
    if members == 0:
        return CheckResult.wrong(
            _GROUP, f"{group} has no members, so nothing is read: start a worker (`flatline worker`)"
        )
    named = f"{group} has {members} member{'s' if members > 1 else ''}"
    if state != "Stable":
        return CheckResult.look(_GROUP, f"{named} and is {state}: its partitions are being reassigned; look again soon")
    return CheckResult.fine(_GROUP, named)


def _examine_lag(
    reader: Consumer, topics: Topics, committed: Callable[[], Offsets], *, has_members: bool
) -> CheckResult:
    existing = reader.topics()
    partitions = [
        TopicPartition(topic.name, number)
        for topic in topics.inputs
        if topic.name in existing
        for number in sorted(reader.partitions_for_topic(topic.name) or ())
    ]
    # What is committed first: else what is written meanwhile would count as read.
    known = committed()
    ends, starts = reader.end_offsets(partitions), reader.beginning_offsets(partitions)
    positions = {tp: max(known.get(tp, 0), starts[tp]) for tp in partitions}
    behind = {tp: at for tp, at in positions.items() if at < ends[tp]}
    waiting = _with_records(reader, behind, ends)
    if not waiting:
        marks = sum(ends[tp] - at for tp, at in behind.items())
        return CheckResult.fine(_LAG, "no record waits" + (_MARKS.format(marks=marks) if marks else ""))
    shown = _table(waiting, ends)
    if not has_members:
        return CheckResult.wrong(_LAG, f"{shown}\nThey wait for a worker.")
    moved, is_caught_up = _watch(waiting, ends, committed)
    if is_caught_up:
        return CheckResult.fine(_LAG, "records arrive and are read within seconds")
    if moved:
        return CheckResult.look(
            _LAG, f"{shown}\n{moved:,} were read while we looked: normal after an import, a pause or a start of workers"
        )
    return CheckResult.wrong(
        _LAG, f"{shown}\nNone was read within {_PROGRESS_WITHIN_S:g} s: look at the worker's log and its /readyz"
    )


def _with_records(reader: Consumer, behind: Offsets, ends: Offsets) -> Offsets:
    """Return those positions that have a record before the end, and not only the marker of a transaction."""
    reader.assign(list(behind))
    for tp, position in behind.items():
        reader.seek(tp, position)
    waiting: dict[TopicPartition, int] = {}
    unknown = set(behind)
    give_up_at_s = time.monotonic() + _TIMEOUT_MS / 1000
    while unknown and time.monotonic() < give_up_at_s:
        for tp, records in reader.poll(timeout_ms=500).items():
            if tp in unknown and records[0].offset < ends[tp]:
                waiting[tp] = behind[tp]
        unknown = {tp for tp in unknown if tp not in waiting and reader.position(tp) < ends[tp]}
        reader.pause(*(set(behind) - unknown))
    # A transaction that is still open hides its records: they wait, too.
    return waiting | {tp: behind[tp] for tp in unknown}


def _watch(waiting: Offsets, ends: Offsets, committed: Callable[[], Offsets]) -> tuple[int, bool]:
    """Return how many of those that wait get read within a time, and whether that is all of them."""
    give_up_at_s = time.monotonic() + _PROGRESS_WITHIN_S
    while True:
        now = committed()
        if all(now.get(tp, 0) >= ends[tp] for tp in waiting):
            return sum(ends[tp] - at for tp, at in waiting.items()), True
        if time.monotonic() > give_up_at_s:
            return sum(max(0, now.get(tp, 0) - at) for tp, at in waiting.items()), False
        time.sleep(_LOOK_EVERY_S)


def _table(waiting: Offsets, ends: Offsets) -> str:
    lag = {tp: ends[tp] - at for tp, at in waiting.items()}
    largest = sorted(lag, key=lambda tp: (-lag[tp], tp))[:_SHOWN_MAX]
    lines = [f"{sum(lag.values()):,} records wait:"]
    lines += [f"{tp.topic} {tp.partition}: {lag[tp]:,} ({waiting[tp]:,} of {ends[tp]:,} read)" for tp in largest]
    left_out = len(lag) - len(largest)
    return "\n".join([*lines, *([f"and {left_out} partitions more"] if left_out else [])])
