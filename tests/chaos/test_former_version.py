"""Workers of the former version and of this one in one consumer group, forward and back."""

import signal
from pathlib import Path

import pytest

from tests.chaos.broker import Broker
from tests.chaos.events import Shares
from tests.chaos.former_version import NoHistoryError, former_worker
from tests.chaos.saying import say
from tests.chaos.scale import pick
from tests.chaos.trial import running_trial
from tests.waiting import until

EVENTS_PER_S = pick(short=300, full=3_000)
BETWEEN_RESTARTS_S = pick(short=1, full=20)
SESSION_TIMEOUT_S = 10.0
OURS = None
REMOVED = "https://blog.example.com/registered-and-removed"


@pytest.fixture
def former(tmp_path: Path) -> Path:
    """Return the program of a former worker."""
    folder = tmp_path / "former"
    folder.mkdir()
    try:
        return former_worker(folder)
    except NoHistoryError as error:
        pytest.skip(f"the former version is not in this checkout's history: {error}")


def test_side_by_side(broker: Broker, former: Path, namespace: str, tmp_path: Path, seed: int) -> None:
    """Workers are replaced one by one by those of this version, back, and forward again: nobody ends, all is counted.

    A removal that is sent while both versions run holds once the last former worker is replaced.
    """
    # What the former version counts in another way, or calls unreadable in other words, is left out.
    shares = Shares(poison=0, absurd=0)
    with running_trial(
        broker.bootstrap, namespace, tmp_path, seed, shares=shares, session_timeout_s=SESSION_TIMEOUT_S
    ) as trial:
        installation = trial.installation
        for number in (1, 2):
            installation.start(number, former)
        installation.wait_ready(1, 2)

        def replace(number: int, program: Path | None) -> None:
            say(f"worker {number} is replaced by {'one of the former version' if program else 'ours'}")
            before = trial.progress().committed
            installation.kill(number, signal.SIGTERM)
            installation.start(number, program)
            installation.wait_ready(1, 2)
            until("events are counted", lambda: trial.progress().committed > before)
            installation.tend(BETWEEN_RESTARTS_S)

        with trial.flow(EVENTS_PER_S) as flow:
            flow.wait_written(EVENTS_PER_S)
            installation.run("articles", "add", REMOVED)
            until("it is listed", lambda: REMOVED in installation.run("articles", "list", "--json"))
            replace(1, OURS)
            installation.run("articles", "remove", REMOVED, "--yes")
            replace(1, former)
            replace(2, OURS)
            replace(1, OURS)
        trial.check_now()
        assert not installation.ends
