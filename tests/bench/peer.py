"""Somebody who does the job."""

import sys
import time
from typing import Final, NamedTuple, Protocol

from flatline.local.errors import LaunchError
from flatline.local.processes import Child, Process
from tests.bench.part import WrongResult
from tests.bench.run import Answer, Run, Totals

PATIENCE_S: Final = 180


class Peer(Protocol):
    """Runs the job. Of a family of variants the best one counts; a slow one gets a ``share`` of the events."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def family(self) -> str: ...  # noqa: D102
    @property
    def share(self) -> float: ...  # noqa: D102

    def run(self, run: Run, must_be: Totals) -> Answer:
        """Run it to its end. Raises WrongResult, and LaunchError when it gave no answer."""


class Program(NamedTuple):
    """A peer as a process that reads its `Run` from the environment and leaves an `Answer`."""

    name: str
    title: str
    command: list[str]
    family: str
    share: float = 1.0

    def run(self, run: Run, must_be: Totals) -> Answer:
        """Run it to its end. Raises WrongResult, and LaunchError when it gave no answer."""
        run.folder.mkdir(parents=True)
        child = Child(
            Process(self.name, self.command, run.bootstrap, is_ready=lambda: True, environment=run.environment()),
            run.folder,
        )
        give_up_at = time.monotonic() + PATIENCE_S
        try:
            while child.end() is None and time.monotonic() < give_up_at:
                time.sleep(0.1)
            end = child.end() or f"took more than {PATIENCE_S} s"
        finally:
            child.terminate()
            child.wait_ended(time.monotonic() + 5)
        answer = Answer.read(run)
        if answer is None:
            raise LaunchError(f"{self.name} {end} and gave no answer.{child.last_lines()}")
        if answer.totals not in (None, must_be):
            raise WrongResult(f"{self.name} came to {answer.totals} instead of {must_be}")
        return answer


def python(module: str) -> list[str]:
    """Return the command of a module that runs in the project's own environment."""
    return [sys.executable, "-m", module]
