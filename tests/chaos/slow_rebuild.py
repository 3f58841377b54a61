"""`flatline state rebuild`, so slowly that it can be killed half-way."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from flatline.engine.log import MicroBatch
from flatline.rebuild import building, log_reader

PAUSE_S = 0.2


async def _slowly(*arguments: Any, **options: Any) -> AsyncIterator[MicroBatch]:
    async for batch in log_reader.read_log(*arguments, **options):
        await asyncio.sleep(PAUSE_S)
        yield batch


building.RECORDS_A_COMMIT = 1  # type: ignore[misc]
building.read_log = _slowly
log_reader.RECORDS_AT_ONCE_MAX = 100  # type: ignore[misc]

if __name__ == "__main__":
    from flatline.cli.state import rebuild

    rebuild()
