"""The broker dies, again and again: killed, or because it can't write."""

import random
import resource
from collections.abc import Callable
from pathlib import Path

from tests.chaos.broker import Broker
from tests.chaos.disk import disk, grow
from tests.chaos.scale import full_only, pick
from tests.chaos.trial import Trial, running_trial
from tests.waiting import until

EVENTS_PER_S = pick(short=1_000, full=3_000)
DOWN_S = pick(short=1.0, full=4.0)


def kill(broker: Broker) -> None:
    """End it with SIGKILL."""
    broker.kill()


def forbid_writes(broker: Broker) -> None:
    """Have every write to a file fail from now on: it ends itself."""
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (1, 1))
    until("the broker gives up", lambda: broker.has_ended)


DEATHS: tuple[Callable[[Broker], None], ...] = pick(
    short=(kill, forbid_writes), full=(*[kill] * 5, *[forbid_writes] * 3)
)


def test_the_broker_dies(broker: Broker, trial: Trial, chance: random.Random) -> None:
    """Workers go on after it, or end themselves and are started again; what they committed was durable."""
    installation = trial.installation
    for number in (1, 2):
        installation.start(number)
    installation.wait_ready(1, 2)
    with trial.flow(EVENTS_PER_S):
        for die in DEATHS:
            installation.tend(chance.uniform(1, 5))
            die(broker)
            installation.tend(chance.uniform(0, DOWN_S))
            broker.start()
        installation.tend(DOWN_S)
    trial.check()


@full_only
def test_the_disk_of_the_broker_is_full(tmp_path: Path, namespace: str, seed: int) -> None:
    """It ends when there is no room left, and nothing is lost when there is room again."""
    folder = tmp_path / "disk"
    with disk(folder, "64m"):
        broker = Broker(folder)
        broker.start()
        try:
            with running_trial(broker.bootstrap, namespace, tmp_path, seed) as trial:
                installation = trial.installation
                for number in (1, 2):
                    installation.start(number)
                installation.wait_ready(1, 2)
                with trial.flow(EVENTS_PER_S):
                    until("the broker gives up", lambda: broker.has_ended)
                    installation.tend(DOWN_S)
                    grow(folder, "1g")
                    broker.start()
                    installation.tend(DOWN_S)
                trial.check()
        finally:
            broker.kill()
