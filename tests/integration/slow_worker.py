"""A worker whose recovery takes its time, as one with a long changelog does; the worker is otherwise the real one."""

import asyncio
import os

from streams.cli.worker import worker
from streams.engine.changelog import Changelog
from streams.engine.partition import Partition

_restore = Changelog.restore


async def _restore_slowly(self: Changelog, number: int, partition: Partition) -> None:
    await _restore(self, number, partition)
    await asyncio.sleep(8)


Changelog.restore = _restore_slowly  # type: ignore[method-assign]
worker(port=int(os.environ["FLATLINE_WORKER_PORT"]))
