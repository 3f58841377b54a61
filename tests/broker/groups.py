"""A consumer group: static members, generations, who has which partitions, committed offsets."""

from dataclasses import dataclass
from typing import NamedTuple

from flatline.engine.log import Offset
from tests.broker.errors import ExpiredMemberError, ReplacedMemberError


class Membership(NamedTuple):
    """One stay of a member in the group. A process that comes back with its instance id begins another one."""

    instance_id: str
    number: int


class Assigned(NamedTuple):
    """What a member was given."""

    partitions: frozenset[int]
    generation: int


@dataclass
class _Member:
    stay: int
    has_joined: bool = False
    partitions: frozenset[int] = frozenset()


class Group:
    """The coordinator's view of one group, whose members share the partitions of topics that have the same number.

    A rebalance begins when a member comes or goes. It ends when all members have joined; those that don't are taken
    out by `expire`. A static member that comes back gets its old place, and nobody else notices.
    """

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._members: dict[str, _Member] = {}
        self._stays = 0
        self.generation = 0
        self.is_rebalancing = False
        self.committed: dict[tuple[str, int], Offset] = {}

    @property
    def members(self) -> list[str]:
        """The instance ids of all members."""
        return list(self._members)

    def enter(self, instance_id: str) -> Membership:
        """Take a member in, in place of a former process with the same instance id."""
        self._stays += 1
        member = self._members.get(instance_id)
        if member is None:
            self._begin()
            self._members[instance_id] = _Member(self._stays, has_joined=True)
        else:
            member.stay, member.has_joined = self._stays, True
        self._end_if_all_joined()
        return Membership(instance_id, self._stays)

    def join(self, membership: Membership) -> None:
        """Join the rebalance under way."""
        self._member(membership).has_joined = True
        self._end_if_all_joined()

    def expire(self, instance_id: str) -> None:
        """Throw a member out: it left, or was out of reach for too long."""
        del self._members[instance_id]
        self._begin()
        self._end_if_all_joined()

    def is_current(self, membership: Membership) -> bool:
        """Whether a stay has not ended: its member was neither thrown out nor replaced."""
        member = self._members.get(membership.instance_id)
        return member is not None and member.stay == membership.number

    def must_join(self, membership: Membership) -> bool:
        """Whether a member has to join a rebalance. Raises ExpiredMemberError and ReplacedMemberError."""
        return self.is_rebalancing and not self._member(membership).has_joined

    def assigned(self, membership: Membership) -> Assigned:
        """Return what a member was given in the last rebalance. Raises ExpiredMemberError and ReplacedMemberError."""
        return Assigned(self._member(membership).partitions, self.generation)

    def _begin(self) -> None:
        if not self.is_rebalancing:
            self.is_rebalancing = True
            for member in self._members.values():
                member.has_joined = False

    def _end_if_all_joined(self) -> None:
        if not self.is_rebalancing or not all(member.has_joined for member in self._members.values()):
            return
        self.is_rebalancing = False
        self.generation += 1
        for at, instance_id in enumerate(sorted(self._members)):
            self._members[instance_id].partitions = frozenset(range(at, self._partitions, len(self._members)))

    def _member(self, membership: Membership) -> _Member:
        member = self._members.get(membership.instance_id)
        if member is None:
            raise ExpiredMemberError(membership)
        if member.stay != membership.number:
            raise ReplacedMemberError(membership)
        return member
