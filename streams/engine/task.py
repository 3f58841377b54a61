"""A task: one partition from its takeover to its release, and everything that belongs to it in between.

restoring  it becomes the partition's only writer, and reads what its former owner made durable
running    records are applied to its articles, these are judged, and commits make both durable
closing    a commit that is under way ends; no other begins
closed     its connection is given back, and it is of no more use

While the group rebalances a task is suspended: it commits once more, and then writes nothing until it is known whether
the partition stays here. Who gets it may become its writer at any moment then, and would find it in nobody's hands.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from flatline.domain.groups.survey import Survey
from flatline.domain.imports.moments import Moment
from flatline.domain.judgement.watch_list import Candidates
from flatline.domain.state.addresses import Addresses
from flatline.engine.due_queue import DueQueue
from flatline.engine.log import Changelog, Forwarded, Forwarder, Offset, Outgoing, Refused, Writer
from flatline.engine.log_cursor import LogCursor
from flatline.engine.oversized_letters import shortened
from flatline.engine.partition import Change, Partition
from flatline.schema.offset_metadata import metadata_of
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import DEAD_LETTER_BYTES_MAX, Topic

log = logging.getLogger("flatline.engine")


class TaskState(Enum):
    """Where a task is in its life."""

    RESTORING = "restoring"
    RUNNING = "running"
    CLOSING = "closing"
    CLOSED = "closed"


@dataclass
class Rounds:
    """The surveys of a partition's articles, one a round.

    ``current``        the one under way
    ``ended_s``        when the last one ended, by a monotonic clock
    ``judged_version`` the version of the group_totals by which the groups that lie here were judged last
    """

    current: Survey | None = None
    ended_s: float | None = None
    judged_version: int | None = None


@dataclass
class ImportsSeen:
    """How far a partition is with the imports that all partitions count together.

    ``counted``    the number of the newest moment of which it was looked up what is known here
    ``judged``     which of the recognised imports led to new judgements
    ``announced``  the moments that were announced here as imports
    """

    counted: int = 0
    judged: LogCursor = field(default_factory=LogCursor)
    announced: set[Moment] = field(default_factory=set)


class Task:
    """One partition, owned.

    ``articles``   its articles, and what is still to be written of them
    ``addresses``  which of these moved, and where to
    ``due``        its articles in the order in which they are to be judged
    ``candidates`` those of them that may have metrics of their own
    ``rounds``     the surveys of them
    ``imports``    how far it is with recognising imports
    ``said``       records of verdicts, of articles and groups, to be written with the next commit
    ``positions``  by topic, the offset up to which records were applied
    ``durable``    by topic, that up to which all that they led to is durable
    ``lock``       held while it is judged, and while it is committed: a verdict and the note that it was said belong
                   into one commit
    """

    def __init__(
        self,
        number: int,
        changelog: Changelog,
        copies: Topic | None = None,
        *,
        letter_bytes_max: int = DEAD_LETTER_BYTES_MAX,
    ) -> None:
        """Copy what is known of articles that move to another partition there, through the topic ``copies``.

        ``letter_bytes_max``: what the topic of dead letters takes.
        """
        self._letter_bytes_max = letter_bytes_max
        self.number = number
        self.addresses = Addresses()
        self._copies = copies
        self.state = TaskState.RESTORING
        self.articles = Partition()
        self.due = DueQueue()
        self.candidates = Candidates()
        self.rounds = Rounds()
        self.imports = ImportsSeen()
        self.unpublished: list[Outgoing] = []
        self.positions: dict[str, int] = {}
        self.durable: dict[str, int] = {}
        self._changelog = changelog
        self._writer: Writer | None = None
        self._is_suspended = False
        self._takeover: asyncio.Future[None] | None = None
        self.lock = asyncio.Lock()
        self._committed: dict[str, tuple[int, int]] = {}  # by topic, what is durable and what is judged
        self._release: asyncio.Future[None] | None = None

    # restoring

    async def restore(self) -> None:
        """Take the partition over. Raises what went wrong; is cancelled when it is closed meanwhile."""
        self._takeover = asyncio.ensure_future(self._take_over())
        await self._takeover

    async def _take_over(self) -> None:
        self._writer = await self._changelog.fence(self.number)
        await self._changelog.restore(self.number, self.articles.restore)
        self.begin()

    def begin(self) -> None:
        """Run with what was restored: all of its articles are due."""
        self._committed = dict(self.articles.positions)
        self.articles.recent_links.begin()
        # Known without a record: verdicts must reach what was applied before, also where nothing more comes.
        self.positions = {topic: applied for topic, (applied, _) in self._committed.items()}
        self.durable = dict(self.positions)
        self.due = DueQueue(
            self.articles,
            judged_positions={topic: judged for topic, (_, judged) in self._committed.items()},
            # Which of them changed after they were last judged isn't known.
            may_have_changed=not self._committed
            or any(judged < applied for applied, judged in self._committed.values()),
        )
        self.state = TaskState.RUNNING

    # running

    @property
    def is_running(self) -> bool:
        """Whether it may be judged and committed."""
        return self.state is TaskState.RUNNING and not self._is_suspended

    def applied(self, topic: str, next_offset: int) -> None:
        """Note that all records of a topic before an offset were applied. After a rebalance some come again."""
        self.positions[topic] = max(next_offset, self.position(topic) or 0)

    def position(self, topic: str) -> int | None:
        """Return the offset up to which its articles hold all records of a topic; None where that isn't known."""
        restored, _ = self._committed.get(topic, (None, 0))
        return self.positions.get(topic, restored)

    def queue_changes(self) -> None:
        """Have all articles that changed up to now judged soon."""
        self.due.change(self.articles.take_news(), self.positions)

    async def commit(self, forwarder: Forwarder) -> None:
        """Make durable what was applied and judged up to now, unless the task isn't running. Raises what went wrong.

        What was taken to be written is gone from memory then: whoever gets an error must not go on with this task.
        """
        # A commit that is cancelled half-way must not let the next one believe that all was written.
        await asyncio.shield(asyncio.ensure_future(self._commit(forwarder)))

    async def suspend(self, forwarder: Forwarder) -> None:
        """Commit once more, and write nothing after it until `resume`. Raises what went wrong.

        A task that is about to become the writer is closed: its request must not fence whoever gets the partition.
        """
        if self.state is TaskState.RESTORING and self._writer is None:
            await self.close()
        await asyncio.shield(asyncio.ensure_future(self._commit(forwarder, is_last=True)))

    def resume(self) -> None:
        """Go on: the partition stays here."""
        self._is_suspended = False

    async def _commit(self, forwarder: Forwarder, *, is_last: bool = False) -> None:
        async with self.lock:
            if self.is_running:
                await self._write(forwarder)
            self._is_suspended = self._is_suspended or is_last

    async def _write(self, forwarder: Forwarder) -> None:
        # All of this at one instant: nothing may be applied between what is taken and the offsets that cover it.
        self.queue_changes()
        self.articles.forwarded += self._copied()
        covered = self._covered()
        offsets = {
            topic: Offset(applied, metadata_of(judged))
            for topic, (applied, judged) in covered.items()
            if self._committed.get(topic) != (applied, judged)
        }
        is_changed = self.articles.is_changed
        changes = self.articles.take_changes(covered if offsets else None)
        letters = [shortened(letter, self._letter_bytes_max) for letter in self.articles.dead_letters]
        records, self.unpublished = [*self.unpublished, *letters], []
        forwarded, self.articles.dead_letters, self.articles.forwarded = self.articles.forwarded, [], []

        records += [shortened(letter, self._letter_bytes_max) for letter in await _forward(forwarder, forwarded)]
        if records or offsets or is_changed:
            assert self._writer is not None, "it runs"
            await self._writer.commit(self._outgoing(records, changes), offsets)
        self._committed = covered
        self.durable = {topic: applied for topic, (applied, _) in covered.items()}
        await self.articles.cool()

    def _copied(self) -> Iterator[Forwarded]:
        """Yield copies of what changed of articles that moved to another partition. Copied twice it does no harm."""
        for moved_to, key, record in self.articles.take_moved():
            assert self._copies is not None, "articles move"
            partition = partition_of(moved_to, self._copies.partitions)
            if partition != self.number:
                yield Forwarded(Outgoing(self._copies.name, partition, key, record), _without_copy)

    def _covered(self) -> dict[str, tuple[int, int]]:
        """Return by topic the offsets up to which records are in the state, and in the verdicts."""
        judged = self.due.judged_positions
        return self._committed | {topic: (position, judged.get(topic, 0)) for topic, position in self.positions.items()}

    def _outgoing(self, records: list[Outgoing], changes: Iterator[Change]) -> Iterator[Outgoing]:
        yield from records
        for key, value in changes:
            yield Outgoing(self._changelog.topic, self.number, key, value)

    # closing

    async def close(self) -> None:
        """Release the partition: wait for what is under way, and give the connection back. Raises nothing."""
        if self._release is None:
            self.state = TaskState.CLOSING
            self._release = asyncio.ensure_future(self._close())
        await asyncio.shield(self._release)

    async def _close(self) -> None:
        if self._takeover is not None:
            self._takeover.cancel()
            await asyncio.wait([self._takeover])
        async with self.lock:
            if self._writer is not None:
                await self._writer.close()
        self.state = TaskState.CLOSED


async def _forward(forwarder: Forwarder, forwarded: Sequence[Forwarded]) -> list[Outgoing]:
    """Write what belongs on other partitions; return what is to be written in place of what is refused."""
    if not forwarded:
        return []
    refused = {id(each.record): each for each in await forwarder.forward(each.record for each in forwarded)}
    instead = [each.instead(refused[id(each.record)]) for each in forwarded if id(each.record) in refused]
    return [record for record in instead if record is not None]


def _without_copy(refused: Refused) -> None:
    """Say that what is known of a former address stays behind: the workers' own topic is not set as it must be."""
    topic, key = refused.record.topic, refused.record.key
    log.error("%s takes no copy of %r as it is set (%s): see `flatline topics check`", topic, key, refused.error)
