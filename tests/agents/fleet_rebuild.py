"""`flatline state rebuild` over the log of a `Fleet`: the real builder, which dies when a test says so."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Final

from flatline.core import Core, native_core
from flatline.domain.imports.imports import Imports
from flatline.domain.sites import Sites
from flatline.domain.state.moves import Moves
from flatline.engine.log import MicroBatch, Outgoing, Refused
from flatline.rebuild.building import Builder
from flatline.rebuild.extent import Committed
from flatline.schema.topics import Topic, Topics
from tests.agents.fleet import PARTITIONS, Fleet, Place
from tests.engine.stand_ins import Held, StandInChangelog

RECORDS_A_BATCH: Final = 2
FOR_EVER: Final = 10**9


class KilledError(Exception):
    """The rebuild was killed."""


class _Life(Held):
    """Ends after so many steps: batches that were read, things that were forwarded, commits."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def step(self) -> None:
        """Take one."""
        if self.steps == 0:
            raise KilledError
        self.steps -= 1

    async def passed(self) -> None:
        """Take one."""
        self.step()


class FleetBuildingLog:
    """The log, the state that serves, and the next one, as the builder wants them."""

    def __init__(self, fleet: Fleet, topics: Topics, changelog: StandInChangelog, life: _Life) -> None:
        self._fleet = fleet
        self._life = life
        self._topics = topics
        self.changelog = changelog
        self.changelog.commit_held = life
        self.former = fleet.changelog
        self.forwarder = self

    async def forward(self, records: Iterable[Outgoing]) -> list[Refused]:
        """Append them to the log: a verdict is as if a worker had said it."""
        for record in records:
            self._life.step()
            if record.topic == self._topics.verdicts.name:
                self.changelog.written.append(record)
            else:
                self._fleet.append(record)
        return []

    async def read(
        self, number: int, *, positions: Mapping[str, int], limits: Mapping[str, int]
    ) -> AsyncIterator[MicroBatch]:
        """Yield a few records at a time."""
        for topic, limit in limits.items():
            records = self._fleet.log[Place(topic, number)][:limit]
            for at in range(positions.get(topic, 0), limit, RECORDS_A_BATCH):
                self._life.step()
                yield MicroBatch(topic, number, records[at : at + RECORDS_A_BATCH])

    def end_of(self, topic: Topic, number: int) -> int:
        """Return how many records there are."""
        return len(self._fleet.log[Place(topic.name, number)])

    def moves(self) -> Moves:
        """Return all that were decided."""
        sites = Sites()
        self._replay(self._topics.sites, sites.receive_record)
        moves = Moves(sites=sites)
        self._replay(self._topics.moves, moves.receive_record)
        return moves

    def imports(self) -> Imports:
        """Return all that were recognised."""
        imports = Imports()
        self._replay(self._topics.imports, imports.receive_record)
        return imports

    def _replay(self, topic: Topic, receive: Callable[[bytes, bytes | None], None]) -> None:
        for record in self._fleet.log[Place(topic.name, 0)]:
            receive(record.key or b"", record.value)

    def former_verdicts(self, number: int) -> Iterable[tuple[bytes, bytes]]:
        """Return the newest ones."""
        newest = {
            record.key: record.value
            for record in self.former.written
            if (record.topic, record.partition) == (self._topics.verdicts.name, number)
        }
        return [(key, value) for key, value in newest.items() if key is not None and value is not None]


class Rebuild:
    """A state that is made from what a fleet has committed, and serves when it is whole."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._topics = Topics(partitions=PARTITIONS, state=fleet.topics.state + 1)
        self._changelog = StandInChangelog()
        self._changelog.written = fleet.changelog.written  # what is said stays said

    async def run(self, *, steps: int = FOR_EVER, rounds: int = 1) -> bool:
        """Go on with it; return whether it was done before it was killed, after so many steps."""
        building_log = FleetBuildingLog(self._fleet, self._topics, self._changelog, _Life(steps))
        builder = Builder(
            building_log,
            former=self._fleet.topics,
            topics=self._topics,
            policy=self._fleet.policy,
            core=native_core(Core.AUTO),
            clock=_Clock(self._fleet),
            on_records=lambda _: None,
        )
        try:
            for _ in range(rounds):
                await builder.build(self._committed())
            await builder.take_back_verdicts()
        except KilledError:
            return False
        self._changelog.commit_held = Held()
        await self._fleet.serve(self._topics, self._changelog)
        return True

    def _committed(self) -> Committed:
        topics = self._fleet.topics
        offsets = self._fleet.changelog.offsets
        return Committed(
            {
                topic.name: {
                    number: offset.next_offset
                    for number in range(PARTITIONS)
                    if (offset := offsets.get((topic.name, number))) is not None
                }
                for topic in topics.inputs
            }
        )


class _Clock:
    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    def now_ms(self) -> int:
        """Return that of the fleet."""
        return self._fleet.now_ms


async def rebuilt(fleet: Fleet) -> None:
    """Have a fleet served by a state that is made anew of all that it has committed."""
    assert await Rebuild(fleet).run()
