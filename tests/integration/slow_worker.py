"""A worker whose recovery takes its time, as one with a long changelog does; the worker is otherwise the real one."""

import asyncio
from collections.abc import Callable

from flatline.cli.worker import worker
from flatline.engine.kafka_log import KafkaChangelog

_restore = KafkaChangelog.restore


async def _restore_slowly(self: KafkaChangelog, partition: int, apply: Callable[[bytes, bytes | None], None]) -> None:
    await _restore(self, partition, apply)
    await asyncio.sleep(8)


KafkaChangelog.restore = _restore_slowly  # type: ignore[method-assign]
worker()
