"""A worker whose recovery ends when a file is there; it is otherwise the real one."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from flatline.cli.worker import worker
from flatline.engine.kafka_log import KafkaChangelog

MAY_END = Path(os.environ["RECOVERY_MAY_END"])
_restore = KafkaChangelog.restore


async def _restore_slowly(self: KafkaChangelog, partition: int, apply: Callable[[bytes, bytes | None], None]) -> None:
    await _restore(self, partition, apply)
    while not MAY_END.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
        await asyncio.sleep(0.05)


KafkaChangelog.restore = _restore_slowly  # type: ignore[method-assign]
worker()
