"""The totals of groups over all partitions, and the baselines that are learned from them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain, repeat
from operator import add
from typing import Final, NamedTuple

from flatline.domain.groups.survey import NOTHING, VALUES, Group, Membership, Sums, up_to_week
from flatline.domain.learned.curve import learned
from flatline.domain.learned.expectation import PRIOR_LINKS_AN_ARTICLE, Baseline
from flatline.domain.time import to_ms
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, SurveyRound
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.verdict import State

STRATEGY_LINKS_MIN: Final = 200
"""Links from which on a strategy has a curve of its own; below, its articles are expected to do as their site's."""

AHEAD_MS_MAX: Final = 3_600_000
"""How far the end of a round may lie after its record: the clocks of a worker and of brokers differ."""

_UNKNOWN: Final = Baseline()


class GroupTotal(NamedTuple):
    """What a group adds up to over all partitions, with the links of the weeks up to ``last_week``."""

    sums: Sums
    states: Mapping[State, int]
    last_week: int


class GroupTotals:
    """The totals of the newest complete round of each partition. Receiving a record again changes nothing.

    Records may come in any order that keeps those of a partition and round before its `SurveyRound`, and older ones may
    have been compacted away: a part counts when its round is its partition's last. The sums of former workers have
    another order and no `last_week`: their rounds are left out, and a partition counts as it was surveyed before.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._rounds: dict[int, datetime] = {}
        self._parts: dict[int, dict[Group, GroupPart]] = {}
        self._pending: dict[int, dict[Group, GroupPart]] = {}
        self._by_group: dict[Group, GroupTotal] = {}
        self._baselines: dict[Group, Baseline] = {}
        self.version = 0  # one higher with each round
        self._added_up = -1

    def receive(self, record: GroupPart | SurveyRound) -> None:
        """Take a record in. Raise `Rejected` for one of a partition that there is not."""
        if record.partition >= self._partitions:
            detail = f"partition: there are {self._partitions}, from 0 on, and no {record.partition}"
            raise Rejected(Reason.INVALID_VALUE, detail)
        if isinstance(record, GroupPart):
            self._pending.setdefault(record.partition, {})[Group(record.kind, record.name)] = record
            return
        number, ended_at = record.partition, record.round_ended_at
        if number in self._rounds and ended_at <= self._rounds[number]:
            return
        pending = self._pending.pop(number, {})
        if any(part.round_ended_at == ended_at and not part.last_week for part in pending.values()):
            return
        self._rounds[number] = ended_at
        self._parts[number] = {group: part for group, part in pending.items() if part.round_ended_at == ended_at}
        self.version += 1

    def receive_record(self, key: bytes, value: bytes | None, recorded_ms: int | None = None) -> None:
        """Take a record of the topic in, which was written at ``recorded_ms`` where that is known. Raises Rejected.

        A round that ended after its own record was written is rejected: no later one would count until then.
        """
        if value is None:
            return
        record = (codec.group_parts if b"/" in key else codec.survey_rounds).decode(value)
        if recorded_ms is not None and to_ms(record.round_ended_at) > recorded_ms + AHEAD_MS_MAX:
            raise Rejected(Reason.INVALID_TIME, f"round_ended_at: {record.round_ended_at} is later than the record")
        self.receive(record)

    @property
    def is_complete(self) -> bool:
        """Whether every partition was surveyed: before that, groups look smaller than they are."""
        return len(self._rounds) == self._partitions

    def groups_of(self, partition: int) -> Iterable[Group]:
        """Return the groups of a partition's newest round."""
        return self._parts.get(partition, {}).keys()

    @property
    def by_group(self) -> Mapping[Group, GroupTotal]:
        """All groups."""
        self._add_up()
        return self._by_group

    def baseline_of(self, membership: Membership) -> Baseline:
        """Return what is learned of articles like this: of its strategy where that has enough links, else its site."""
        if not self.is_complete:
            return _UNKNOWN
        self._add_up()
        if membership.strategy:
            baseline = self._baselines.get(Group(GroupKind.STRATEGY, membership.strategy))
            if baseline is not None and baseline.curve.links >= STRATEGY_LINKS_MIN:
                return baseline
        return self._baselines.get(Group(GroupKind.SITE, membership.site), _UNKNOWN)

    def _add_up(self) -> None:
        if self._added_up == self.version:
            return
        self._added_up = self.version
        values: dict[Group, list[float]] = {}
        states: dict[Group, Counter[State]] = {}
        # The rounds of partitions end within a day of each other: the week that is the last in all of them counts.
        last_week = min((part.last_week for parts in self._parts.values() for part in parts.values()), default=0)
        for parts in self._parts.values():
            for group, part in parts.items():
                # One of another version may have fewer or more.
                sums = chain(up_to_week(part.sums[:VALUES], part.last_week - last_week), repeat(0.0))
                values[group] = list(map(add, values.get(group, NOTHING.values), sums))
                states.setdefault(group, Counter()).update(part.states)
        self._by_group = {group: GroupTotal(Sums(summed), states[group], last_week) for group, summed in values.items()}
        self._baselines = {
            group: baseline_from(total.sums)
            for group, total in self._by_group.items()
            if group.kind in (GroupKind.SITE, GroupKind.STRATEGY)
        }


def baseline_from(sums: Sums) -> Baseline:
    """Return what is learned from articles. One article's worth of the prior keeps few of them from deciding alone."""
    links_an_article = (sums.links + PRIOR_LINKS_AN_ARTICLE) / (sums.passed + 1)
    return Baseline(learned(sums.within, sums.by_end), links_an_article)
