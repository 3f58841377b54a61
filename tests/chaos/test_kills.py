"""Workers die at any moment: killed, told to end, robbed of their folder."""

import random
import shutil
import signal

import pytest

from flatline.core import Core, why_not_native
from tests.chaos.saying import say
from tests.chaos.scale import full_only, pick
from tests.chaos.trial import EXIT_SOFTWARE, Trial

WORKERS = (1, 2, 3)
WAYS = (signal.SIGKILL, signal.SIGTERM)
KILLS = pick(short=5, full=50)
EVENTS = pick(short=30_000, full=1_000_000)
LONGEST_PAUSE_S = 6.0
REST_S = 5.0  # so long events go on flowing after the last kill


@pytest.mark.parametrize(
    "ways",
    [pytest.param((signal.SIGKILL,), marks=full_only, id="kill"), pytest.param(WAYS, id="mixed")],
)
def test_workers_die(trial: Trial, chance: random.Random, ways: tuple[signal.Signals, ...]) -> None:
    """Any of three workers dies at any moment, some with their local folder, while events flow."""
    pauses_s = [chance.uniform(0, LONGEST_PAUSE_S) for _ in range(KILLS)]
    installation = trial.installation
    for number in WORKERS:
        installation.start(number)
    with trial.flow(EVENTS / (sum(pauses_s) + REST_S)) as flow:
        for pause_s in pauses_s:
            installation.tend(pause_s)
            number, how = chance.choice(WORKERS), chance.choice(ways)
            exit_code = installation.kill(number, how)
            # One that was told to end before it had begun to listen ends as any program does.
            told = {0} if how is signal.SIGTERM else set()
            assert exit_code in {-how, EXIT_SOFTWARE, *told}, installation.log(number)
            if len(ways) > 1 and chance.random() < 0.5:
                shutil.rmtree(installation.home(number))
            installation.start(number)
        progress = trial.progress()
        assert not progress.is_complete, "everything was already processed before the last kill"
        flow.wait_written(EVENTS)
    say(f"{KILLS} deaths; {progress.committed} of {progress.end} events were committed after the last one")
    trial.check()
    cores = {installation.core(number) for number in WORKERS}
    assert cores == ({Core.PYTHON} if why_not_native() else {Core.PYTHON, Core.NATIVE})
