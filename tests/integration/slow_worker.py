"""A worker whose recovery takes its time, as one with a long changelog does; the worker is otherwise the real one."""

import asyncio
import os
from typing import Any

from streams.cli.worker import worker
from streams.engine.store import ArticleTable


async def _dawdle(_table: ArticleTable, _event: Any) -> None:
    await asyncio.sleep(1.5)


ArticleTable.on_changelog_event = _dawdle
worker(port=int(os.environ["FLATLINE_WORKER_PORT"]))
