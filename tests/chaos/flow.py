"""Link events that go on flowing into Kafka while a test breaks things."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from flatline.engine.batch_writer import write
from flatline.engine.log import Outgoing
from tests.waiting import PATIENCE_S, until

_TICK_S: Final = 0.1
_BATCH_BYTES_MAX: Final = 1 << 19

# A failed test shows what was logged: that a broker was away, which is the test, would hide all else.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


class Flow:
    """Writes records at a steady rate, in a thread of its own, from the start of the block to its end.

    ``written`` counts those that Kafka has acknowledged. What Kafka did not acknowledge is written again, for ever:
    events may come twice.
    """

    def __init__(self, bootstrap: str, records: Iterator[Outgoing], *, rate_per_s: float) -> None:
        self._bootstrap = bootstrap
        self._records = records
        self._rate_per_s = rate_per_s
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._flow()), name="flow", daemon=True)
        self.written = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Write what is in hand, and no more. Harmless when it has stopped."""
        self._is_over.set()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the last events can't be written"

    def wait_written(self, count: int) -> None:
        """Wait until so many are in Kafka."""
        patience_s = PATIENCE_S + 2 * max(0, count - self.written) / self._rate_per_s
        until(f"{count} events are written", lambda: self.written >= count, timeout_s=patience_s)

    async def _flow(self) -> None:
        began_s = time.monotonic()
        chunk: list[Outgoing] = []
        while not self._is_over.is_set() or chunk:
            try:
                async with _producer(self._bootstrap) as producer:
                    while not self._is_over.is_set() or chunk:
                        due = int((time.monotonic() - began_s) * self._rate_per_s) - self.written
                        chunk = chunk or list(islice(self._records, max(0, due)))
                        await write(producer, chunk)
                        self.written += len(chunk)
                        chunk = []
                        await asyncio.sleep(_TICK_S)
            except KafkaError:
                await asyncio.sleep(_TICK_S)


def write_all(bootstrap: str, records: Iterable[Outgoing]) -> None:
    """Write records and wait until Kafka has them."""

    async def write_them() -> None:
        async with _producer(bootstrap) as producer:
            await write(producer, records)

    asyncio.run(write_them())


def _producer(bootstrap: str) -> AIOKafkaProducer:
    # Idempotent: its own retries write nothing twice.
    return AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=_BATCH_BYTES_MAX, enable_idempotence=True)
