from collections.abc import AsyncIterator

import pytest

from tests.broker.contract.in_memory import InMemory
from tests.broker.contract.installation import Installation
from tests.broker.contract.on_kafka import OnKafka


@pytest.fixture(params=["memory", "kafka"])
async def at(request: pytest.FixtureRequest) -> AsyncIterator[Installation]:
    """Return a broker with fresh topics: the in-memory one, and a real Kafka."""
    installation: Installation
    if request.param == "memory":
        installation = InMemory()
    else:
        on_kafka = OnKafka(request.getfixturevalue("kafka_bootstrap"), request.getfixturevalue("namespace"))
        await on_kafka.open()
        installation = on_kafka
    yield installation
    await installation.close()
