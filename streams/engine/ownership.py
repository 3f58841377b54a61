"""Which partitions are this worker's, and which of them it knows all about."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from aiokafka.errors import KafkaError

from streams.domain.article import UnknownFormatError
from streams.engine.changelog import Changelog, PartitionWriter
from streams.engine.ending import die
from streams.engine.partition import Partition

RESTORED_AT_ONCE: Final = 4

log = logging.getLogger("flatline.engine")


@dataclass
class Owned:
    """A partition whose state is whole, and the right to write it.

    ``durable``  by topic, the offset up to which everything that was applied is durable
    """

    partition: Partition
    writer: PartitionWriter
    durable: dict[str, int] = field(default_factory=dict)


class Ownership:
    """Takes partitions over, and gives them up, as the consumer group assigns them.

    ``assigned``  what the group gave us
    ``owned``     those of it that are fenced and restored
    """

    def __init__(self, changelog: Changelog) -> None:
        self._changelog = changelog
        self._generation = 0
        self._takeovers: dict[int, asyncio.Task[None]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._restoring: dict[int, Partition] = {}
        self._gate = asyncio.Semaphore(RESTORED_AT_ONCE)
        self._newly_owned: set[int] = set()
        self._began_s = 0.0
        self._is_whole = asyncio.Event()
        self.assigned: frozenset[int] = frozenset()
        self.owned: dict[int, Owned] = {}
        self.recovery_s = 0.0  # how long the last one took
        self.on_whole: Callable[[frozenset[int]], None] = lambda _newly_owned: None

    @property
    def is_whole(self) -> bool:
        """Whether everything that was assigned is owned."""
        return self._is_whole.is_set()

    async def whole(self) -> None:
        """Wait until everything that was assigned is owned."""
        await self._is_whole.wait()

    @property
    def restored_articles(self) -> int:
        """How many articles are known so far, of partitions that are owned or being restored."""
        partitions = [*self._restoring.values(), *(owned.partition for owned in self.owned.values())]
        return sum(len(partition) for partition in partitions)

    def assign(self, numbers: frozenset[int], *, generation: int) -> None:
        """Take over what is new, and give up what is gone. Returns at once; `whole` waits for the end of it.

        What is kept from the generation before stays as it is. A worker that missed a generation keeps nothing:
        somebody else may have written in between.
        """
        kept = numbers if generation - self._generation in (0, 1) else frozenset[int]()
        self._generation, self.assigned = generation, numbers
        self._is_whole.clear()
        for number in self._takeovers.keys() - kept:
            self._takeovers.pop(number).cancel()
            self._restoring.pop(number, None)
        self._newly_owned &= kept
        for number in self.owned.keys() - kept:
            self._in_background(self.owned.pop(number).writer.close())
        self._began_s = monotonic()
        for number in numbers - self.owned.keys() - self._takeovers.keys():
            self._takeovers[number] = asyncio.create_task(self._take_over(number))
        self._settle()

    async def close(self) -> None:
        """Give up everything."""
        self.assign(frozenset(), generation=self._generation)
        await asyncio.gather(*self._closing, return_exceptions=True)

    def _in_background(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _take_over(self, number: int) -> None:
        partition = self._restoring[number] = Partition()
        refusal = None
        async with self._gate:
            try:
                writer = await self._changelog.fence(number)
                try:
                    await self._changelog.restore(number, partition)
                except asyncio.CancelledError:
                    self._in_background(writer.close())
                    raise
            except UnknownFormatError as error:
                refusal = str(error)
            except KafkaError:
                die(f"the state of partition {number} can't be restored")
        if refusal:
            die(refusal)
        del self._restoring[number], self._takeovers[number]
        self.owned[number] = Owned(partition, writer)
        self._newly_owned.add(number)
        self._settle()

    def _settle(self) -> None:
        """Say that everything is owned, once it is."""
        if self._is_whole.is_set() or self.owned.keys() != self.assigned:
            return
        newly_owned, self._newly_owned = frozenset(self._newly_owned), set()
        self.recovery_s = monotonic() - self._began_s
        log.info(
            "ready: %d partitions, %d of them new here, with %d articles; restored in %.1f s",
            len(self.owned),
            len(newly_owned),
            self.restored_articles,
            self.recovery_s,
        )
        self.on_whole(newly_owned)
        self._is_whole.set()

    def durable_offsets(self) -> Iterable[tuple[str, int, int]]:
        """Yield (topic, partition, offset) of what may be committed."""
        for number, owned in self.owned.items():
            for topic, offset in owned.durable.items():
                yield topic, number, offset
