"""All parts of all partitions, put together: what each group adds up to, and what is learned from it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain, repeat
from operator import add
from typing import Final, NamedTuple

from flatline.domain.groups.survey import NOTHING, VALUES, Group, Membership, Sums
from flatline.domain.learned.curve import learned
from flatline.domain.learned.expectation import PRIOR_LINKS_AN_ARTICLE, Kind
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, SurveyRound
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.verdict import State

STRATEGY_LINKS_MIN: Final = 200
"""Links from which on a strategy has a curve of its own; below, its articles are expected to do as their site's."""

_UNKNOWN: Final = Kind()


class Whole(NamedTuple):
    """What a group adds up to over all partitions."""

    sums: Sums
    states: Mapping[State, int]


class Census:
    """The newest whole round of each of so many partitions. Receiving a record again changes nothing.

    Records may come in any order that keeps those of a partition and round before its `SurveyRound`, and older ones may
    have been compacted away: a part counts when its round is its partition's last.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._rounds: dict[int, datetime] = {}
        self._parts: dict[int, dict[Group, GroupPart]] = {}
        self._pending: dict[int, dict[Group, GroupPart]] = {}
        self._wholes: dict[Group, Whole] = {}
        self._kinds: dict[Group, Kind] = {}
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
        self._rounds[number] = ended_at
        self._parts[number] = {group: part for group, part in pending.items() if part.round_ended_at == ended_at}
        self.version += 1

    def receive_record(self, key: bytes, value: bytes | None, _recorded_ms: int = 0) -> None:
        """Take a record of the topic in. Raises Rejected."""
        if value is not None:
            self.receive((codec.group_parts if b"/" in key else codec.survey_rounds).decode(value))

    @property
    def is_complete(self) -> bool:
        """Whether every partition was surveyed: before that, groups look smaller than they are."""
        return len(self._rounds) == self._partitions

    def groups_of(self, partition: int) -> Iterable[Group]:
        """Return the groups of a partition's newest round."""
        return self._parts.get(partition, {}).keys()

    @property
    def wholes(self) -> Mapping[Group, Whole]:
        """All groups."""
        self._add_up()
        return self._wholes

    def kind_of(self, membership: Membership) -> Kind:
        """Return what is learned of articles like this: of its strategy where that has enough links, else its site."""
        if not self.is_complete:
            return _UNKNOWN
        self._add_up()
        if membership.strategy:
            kind = self._kinds.get(Group(GroupKind.STRATEGY, membership.strategy))
            if kind is not None and kind.curve.links >= STRATEGY_LINKS_MIN:
                return kind
        return self._kinds.get(Group(GroupKind.SITE, membership.site), _UNKNOWN)

    def _add_up(self) -> None:
        if self._added_up == self.version:
            return
        self._added_up = self.version
        values: dict[Group, list[float]] = {}
        states: dict[Group, Counter[State]] = {}
        for parts in self._parts.values():
            for group, part in parts.items():
                # One of another version may have fewer or more.
                sums = chain(part.sums[:VALUES], repeat(0.0))
                values[group] = list(map(add, values.get(group, NOTHING.values), sums))
                states.setdefault(group, Counter()).update(part.states)
        self._wholes = {group: Whole(Sums(summed), states[group]) for group, summed in values.items()}
        self._kinds = {
            group: kind_from(whole.sums)
            for group, whole in self._wholes.items()
            if group.kind in (GroupKind.SITE, GroupKind.STRATEGY)
        }


def kind_from(sums: Sums) -> Kind:
    """Return what is learned from articles. One article's worth of the prior keeps few of them from deciding alone."""
    links_an_article = (sums.links + PRIOR_LINKS_AN_ARTICLE) / (sums.passed + 1)
    return Kind(learned(sums.within, sums.by_end), links_an_article)
