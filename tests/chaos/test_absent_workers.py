"""Workers that are away for longer than their session, and come back: what the others wrote since must stay."""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.chaos.broker import Broker
from tests.chaos.proxy import Proxy
from tests.chaos.scale import full_only, pick
from tests.chaos.trial import FAULTY_WORKER, SESSION_TIMEOUT_S, SHORTEST_SESSION_TIMEOUT_S, Trial
from tests.integration.running import Installation
from tests.waiting import until

EVENTS_PER_S = pick(short=1_000, full=3_000)
BACK_S = 3.0
DELAY_S = 0.5
SLOW_S = 60.0

STOPPED = "stopped"
STOPPED_BEFORE_A_WRITE = "stopped before a write"
CUT_OFF = "cut off"
HELD_UP = "held up"


@pytest.fixture
def session_timeout_s() -> float:
    """Return a short one for a short wait."""
    return pick(short=SHORTEST_SESSION_TIMEOUT_S, full=SESSION_TIMEOUT_S)


@pytest.mark.parametrize(
    "ways",
    [
        # What a worker had on its way, or in hand, is written long after somebody else has taken over.
        pytest.param((HELD_UP, STOPPED_BEFORE_A_WRITE), id="held-up-and-stopped"),
        pytest.param((STOPPED,) * 5, marks=full_only, id="stopped"),
        pytest.param((STOPPED_BEFORE_A_WRITE,) * 5, marks=full_only, id="stopped-before-a-write"),
        pytest.param((CUT_OFF,) * 3, marks=full_only, id="cut-off"),
        pytest.param((HELD_UP,) * 3, marks=full_only, id="held-up"),
    ],
)
def test_a_worker_is_away(
    broker: Broker,
    proxy: Proxy,
    trial: Trial,
    chance: random.Random,
    ways: tuple[str, ...],
) -> None:
    """Another one takes over, and what the first one does when it comes back changes nothing."""
    installation = trial.installation
    watchdog = "off" if STOPPED_BEFORE_A_WRITE in ways else "on"
    installation.start(1, FAULTY_WORKER, FAULTY_WATCHDOG=watchdog, FLATLINE_KAFKA_BOOTSTRAP=broker.proxied_bootstrap)
    installation.start(2)
    installation.wait_ready(1, 2)
    for way in ways:
        with trial.flow(EVENTS_PER_S) as flow:
            installation.tend(chance.uniform(1, 3))
            with _away(installation, proxy, way):
                flow.wait_written(flow.written + int(2 * trial.session_timeout_s * EVENTS_PER_S))
                flow.stop()
                # All of it: what the first one does from now on is older than anything that is written now.
                until("the other worker has it all", lambda: trial.progress().is_complete)
        installation.tend(BACK_S)
        installation.wait_ready(1, 2)
    trial.check()


@contextmanager
def _away(installation: Installation, proxy: Proxy, way: str) -> Iterator[None]:
    """Have worker 1 away for the block."""
    if way in (CUT_OFF, HELD_UP):
        with proxy.refusing() if way == CUT_OFF else proxy.holding():
            yield
        return
    installation.send_signal(1, signal.SIGSTOP if way == STOPPED else signal.SIGPROF)
    until("it has stopped", lambda: installation.is_stopped(1))
    yield
    installation.send_signal(1, signal.SIGCONT)


@full_only
def test_the_network_is_slow(broker: Broker, proxy: Proxy, trial: Trial) -> None:
    """Half a second each way between workers and broker: they go on, slowly."""
    installation = trial.installation
    for number in (1, 2):
        installation.start(number, FLATLINE_KAFKA_BOOTSTRAP=broker.proxied_bootstrap)
    installation.wait_ready(1, 2)
    proxy.delay_s = DELAY_S
    with trial.flow(EVENTS_PER_S):
        installation.tend(SLOW_S)
    trial.wait_caught_up()
    proxy.delay_s = 0
    trial.check()
