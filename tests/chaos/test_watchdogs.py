"""Workers that do harm, or nothing, by living on end themselves."""

import signal
import time

from tests.chaos.trial import EXIT_REFUSED, EXIT_SOFTWARE, FAULTY_WORKER, SHORTEST_SESSION_TIMEOUT_S, Trial

PATIENCE_S = 3.0


def test_a_blocked_loop_ends_the_worker(trial: Trial) -> None:
    """One whose event loop is blocked for half its session is gone before its group gives it up."""
    session = str(SHORTEST_SESSION_TIMEOUT_S)
    trial.installation.start(1, FAULTY_WORKER, FLATLINE_SESSION_TIMEOUT_S=session)
    trial.installation.wait_ready(1)
    trial.installation.send_signal(1, signal.SIGALRM)
    blocked_s = time.monotonic()
    assert trial.installation.wait_ended(1) == EXIT_SOFTWARE
    assert time.monotonic() - blocked_s > SHORTEST_SESSION_TIMEOUT_S / 2 - 1
    assert "the event loop was blocked for" in trial.installation.log(1)


def test_a_worker_without_progress_ends(trial: Trial) -> None:
    """One that gets no records while there are some ends, and one that has nothing to do does not."""
    installation = trial.installation
    installation.start(1, FAULTY_WORKER, FAULTY_PATIENCE_S=str(PATIENCE_S))
    installation.wait_ready(1)
    installation.tend(PATIENCE_S + 1)
    assert not installation.ends
    with trial.flow(rate_per_s=500) as flow:
        flow.wait_written(1_000)
        installation.send_signal(1, signal.SIGVTALRM)
        assert installation.wait_ended(1) == EXIT_SOFTWARE
    assert "and none of it was done" in installation.log(1)
    installation.start(1)
    trial.check_now()


def test_faust_without_compiled_streams_is_refused(trial: Trial) -> None:
    """Faust's streams in Python acknowledge what they have not seen: a worker does not start with them."""
    trial.installation.start(1, NO_CYTHON="1")
    assert trial.installation.wait_ended(1) == EXIT_REFUSED
    said = trial.installation.log(1)
    assert "Faust's compiled streams are missing" in said
    assert "Install faust-streaming from a wheel" in said
    assert "Traceback" not in said
