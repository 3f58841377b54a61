"""What the thread that fetches passes on."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from flatline.engine.app import EagerConsumerThread

KEPT, IDLE = TP("links", 0), TP("links", 1)


@pytest.mark.parametrize("is_flowing", [True, False])
async def test_what_was_fetched_is_passed_on(is_flowing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the flow has stopped meanwhile: the client does not fetch it again if the flow goes on at once."""

    async def fetch(*_: Any, **__: Any) -> dict[TP, list[str]]:
        thread.consumer.flow_active = is_flowing
        return {KEPT: ["record"]}

    monkeypatch.setattr(driver.AIOKafkaConsumerThread, "_fetch_records", fetch)
    positions = {KEPT: 11, IDLE: 5}
    assignment = SimpleNamespace(
        tps=set(positions),
        state_value=lambda tp: SimpleNamespace(position=positions[tp], has_valid_position=True),
    )
    client: Any = SimpleNamespace(_subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=assignment)))
    thread: Any = object.__new__(EagerConsumerThread)
    thread.consumer = SimpleNamespace(flow_active=True)
    passed_on = await thread._fetch_records(client, {KEPT, IDLE})
    assert (passed_on[KEPT], passed_on[KEPT].next_offset) == (["record"], 11)
    assert (IDLE in passed_on) == is_flowing
