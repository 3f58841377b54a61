"""Versions of the state change while workers run."""

import signal
from pathlib import Path

from tests.chaos.scale import pick
from tests.chaos.trial import EXIT_SOFTWARE, Trial
from tests.integration.reading import read

NEWER_WORKER = Path(__file__).with_name("newer_worker.py")
EVENTS_PER_S = pick(short=500, full=3_000)
REPLACED = pick(short=(1,), full=(1, 2))
BETWEEN_RESTARTS_S = pick(short=2, full=20)


def test_versions_roll_on_and_back(trial: Trial) -> None:
    """Workers are replaced one by one by those of the next version, and these by the old ones again."""
    installation = trial.installation
    for number in (1, 2):
        installation.start(number)
    installation.wait_ready(1, 2)
    with trial.flow(EVENTS_PER_S):
        for program in (NEWER_WORKER, None):
            for number in REPLACED:
                installation.tend(BETWEEN_RESTARTS_S)
                installation.kill(number, signal.SIGTERM)
                installation.start(number, program)
            installation.wait_ready(1, 2)
            installation.tend(BETWEEN_RESTARTS_S)
        written = [record.value or b"" for record in read(trial.bootstrap, trial.topics.changelog)]
        assert any(b"of the next version" in value for value in written)
        assert not all(b"of the next version" in value for value in written)
    trial.check_now()
    assert not installation.ends


def test_an_unknown_format_is_refused(trial: Trial) -> None:
    """A worker that finds state of a format it does not know ends, says what to do, and harms nothing."""
    installation = trial.installation
    installation.start(1, NEWER_WORKER, NEWER="format")
    with trial.flow(EVENTS_PER_S) as flow:
        flow.wait_written(EVENTS_PER_S)
    trial.wait_caught_up()
    installation.kill(1)
    installation.start(1)
    assert installation.wait_ended(1) == EXIT_SOFTWARE
    assert "Run the version of Flatline that wrote it, or a newer one" in installation.log(1)
    installation.start(1, NEWER_WORKER, NEWER="format")
    trial.check_now()
