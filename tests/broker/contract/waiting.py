"""Waiting for what a broker does after it has answered."""

import asyncio
import time

from tests.broker.contract.installation import Installation
from tests.waiting import PATIENCE_S


async def marked(at: Installation, topic: str, partition: int = 0) -> None:
    """Wait until no transaction is open on a partition: marks are written after the end was acknowledged."""
    give_up_at_s = time.monotonic() + PATIENCE_S
    while (bounds := await at.bounds(topic, partition)).stable < bounds.end:
        assert time.monotonic() < give_up_at_s, f"{topic} has a transaction that stays open"
        await asyncio.sleep(0.01)
