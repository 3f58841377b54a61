"""The network between the producers and the broker is cut, and slow."""

import time
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tests.chaos.broker import Broker
from tests.chaos.events import Events, Shares
from tests.chaos.producing import ANY_SOURCE, importing, pushing
from tests.chaos.proxy import Proxy
from tests.chaos.saying import say
from tests.chaos.scale import pick
from tests.chaos.trial import Trial
from tests.connectors.pushing import running_ingest
from tests.waiting import until

LINES = pick(short=10_000, full=100_000)
CUT_S = pick(short=4.0, full=30.0)  # a producer gives up after 20
DELAY_S = pick(short=0.1, full=0.5)


@pytest.fixture
def readable(trial: Trial, seed: int) -> Trial:
    """Return a trial of events that can all be read: what can't, no producer lets in."""
    return replace(trial, events=Events(trial.topics, seed=seed, shares=Shares(poison=0)))


def test_producers_on_a_bad_network(broker: Broker, proxy: Proxy, readable: Trial, tmp_path: Path) -> None:
    """What they say is delivered is in Kafka, untouched; what they say is not is delivered when it is sent again."""
    environment = {**readable.installation.environment, "FLATLINE_KAFKA_BOOTSTRAP": broker.proxied_bootstrap}
    sent: list[bytes] = []
    with running_ingest(environment, readable.topics, tmp_path, source=ANY_SOURCE) as ingest:
        for cut in (proxy.refusing, proxy.holding):
            lines = [record.value or b"" for record in islice(readable.events, LINES)]
            file = tmp_path / "history.ndjson"
            file.write_bytes(b"\n".join(lines))
            sent += lines
            proxy.delay_s = DELAY_S
            with pushing(ingest, readable.events) as pushed, importing(file, environment):
                seen = readable.progress().end
                until("a part of it is there", lambda seen=seen: readable.progress().end > seen)  # type: ignore[misc]
                with cut():
                    time.sleep(CUT_S)
                proxy.delay_s = 0
            sent += pushed
            say(f"{len(pushed)} events were pushed")
    assert {record.value for record in readable.records()} == set(sent)
    readable.installation.start(1)
    readable.installation.wait_ready(1)
    readable.check_now()
