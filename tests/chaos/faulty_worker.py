"""A worker that does wrong when it is told to; until then it is the real one.

SIGALRM     its event loop is blocked for ever
SIGVTALRM   it gets no more records from its Kafka client, and has waited long enough for the watchdog soon after
SIGPROF     it stops (SIGSTOP) at the worst moment: when it is about to write to the changelog
"""

import asyncio
import os
import signal
import time
from types import FrameType
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.consumer.fetcher import Fetcher

from flatline.cli.worker import worker
from flatline.engine.watchdog import LoopWatchdog
from flatline.worker import health

FOR_EVER_S: Final = 3_600

told: set[int] = set()

fetched_records = Fetcher.fetched_records
send_batch = AIOKafkaProducer.send_batch


def _block(_number: int, _frame: FrameType | None) -> None:
    time.sleep(FOR_EVER_S)


async def _fetch_until_told(fetcher: Fetcher, *arguments: Any, **named: Any) -> Any:
    if signal.SIGVTALRM in told:
        await asyncio.sleep(FOR_EVER_S)
    return await fetched_records(fetcher, *arguments, **named)


async def _stop_and_send(producer: AIOKafkaProducer, batch: Any, topic: str, *, partition: int) -> Any:
    if topic.endswith("-changelog") and signal.SIGPROF in told:
        told.remove(signal.SIGPROF)
        os.kill(os.getpid(), signal.SIGSTOP)
    return await send_batch(producer, batch, topic, partition=partition)


def _watch_nothing(_watchdog: LoopWatchdog) -> None:
    pass


signal.signal(signal.SIGALRM, _block)
signal.signal(signal.SIGVTALRM, lambda number, _frame: told.add(number))
signal.signal(signal.SIGPROF, lambda number, _frame: told.add(number))
Fetcher.fetched_records = _fetch_until_told
AIOKafkaProducer.send_batch = _stop_and_send
if os.environ.get("FAULTY_WATCHDOG") == "off":
    # A process that goes on after a stop is often ended by its own watchdog before it can write. Not always.
    LoopWatchdog._watch = _watch_nothing  # type: ignore[assignment]
health.GIVE_UP_AFTER_S = float(os.environ.get("FAULTY_PATIENCE_S", health.GIVE_UP_AFTER_S))  # type: ignore[misc]
worker()
