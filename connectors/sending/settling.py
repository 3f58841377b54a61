"""Waits, without holding up the event loop, until Kafka has acknowledged all that was sent."""

import asyncio
from functools import partial
from typing import Final

from flatline_connectors.sending.delivery import Deliveries, DeliveryFailed
from flatline_connectors.sending.producer import PATIENCE_S

# Longer than a record may wait: what is not settled by then never will be.
SETTLED_WITHIN_S: Final = PATIENCE_S + 2


async def settled(deliveries: Deliveries) -> None:
    """Return when Kafka has all that was sent so far. Raise `DeliveryFailed`."""
    loop = asyncio.get_running_loop()
    end = loop.create_future()
    deliveries.when_settled(partial(loop.call_soon_threadsafe, _finish, end))
    try:
        async with asyncio.timeout(SETTLED_WITHIN_S):
            await end
    except TimeoutError:
        raise DeliveryFailed(None, f"no acknowledgement for {SETTLED_WITHIN_S:g} s") from None
    deliveries.raise_failure()


def _finish(end: asyncio.Future[None]) -> None:
    if not end.done():
        end.set_result(None)
