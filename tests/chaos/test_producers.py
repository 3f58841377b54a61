"""The network between the producers and the broker is cut, and slow."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from tests.chaos.broker import Broker
from tests.chaos.events import Events, Shares
from tests.chaos.proxy import Proxy
from tests.chaos.saying import say
from tests.chaos.scale import pick
from tests.chaos.trial import EXIT_REFUSED, Trial
from tests.connectors.pushing import NDJSON, RunningIngest, running_ingest
from tests.integration.running import FLATLINE
from tests.waiting import PATIENCE_S, until

LINES = pick(short=10_000, full=100_000)
CUT_S = pick(short=4.0, full=30.0)  # a producer gives up after 20
DELAY_S = pick(short=0.1, full=0.5)
PUSHED_EVENTS = 100


@pytest.fixture
def readable(trial: Trial, seed: int) -> Trial:
    """Return a trial of events that can all be read: what can't, no producer lets in."""
    return replace(trial, events=Events(trial.topics, seed=seed, shares=Shares(poison=0)))


def test_producers_on_a_bad_network(broker: Broker, proxy: Proxy, readable: Trial, tmp_path: Path) -> None:
    """What they say is delivered is in Kafka, untouched; what they say is not is delivered when it is sent again."""
    environment = {**readable.installation.environment, "FLATLINE_KAFKA_BOOTSTRAP": broker.proxied_bootstrap}
    sent: list[bytes] = []
    with running_ingest(environment, readable.topics, tmp_path) as ingest:
        for cut in (proxy.refusing, proxy.holding):
            lines = [record.value or b"" for record in islice(readable.events, LINES)]
            file = tmp_path / "history.ndjson"
            file.write_bytes(b"\n".join(lines))
            sent += lines
            proxy.delay_s = DELAY_S
            with _pushing(ingest, readable.events) as pushed, _importing(file, environment):
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


@contextmanager
def _importing(file: Path, environment: dict[str, str]) -> Iterator[None]:
    """Import a file during the block; after the block once more if the command says so."""
    command = [FLATLINE, "import", str(file)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as importing:
        yield
        _, said = importing.communicate(timeout=PATIENCE_S)
    assert importing.returncode in (0, EXIT_REFUSED), said
    if importing.returncode:
        say("an import had to be run again")
        assert b"Import the whole of it again" in said
        subprocess.run(command, env=environment, check=True, capture_output=True, timeout=PATIENCE_S)


@contextmanager
def _pushing(ingest: RunningIngest, events: Events) -> Iterator[list[bytes]]:
    """Push batches during the block, each again until it is taken; the list gets the events that were."""
    taken: list[bytes] = []
    is_over = threading.Event()

    def push() -> None:
        while not is_over.is_set():
            batch = [record.value or b"" for record in islice(events, PUSHED_EVENTS)]
            while (answer := ingest.push(b"\n".join(batch), NDJSON)).status != 200:
                assert answer.status == 503, answer
                say(f"a push was answered with {answer.status}")
                time.sleep(int(answer.headers["Retry-After"]))
            assert answer.body == {"accepted": len(batch), "rejected": []}
            taken.extend(batch)

    thread = threading.Thread(target=push, name="pushing")
    thread.start()
    try:
        yield taken
    finally:
        is_over.set()
        thread.join(PATIENCE_S)
