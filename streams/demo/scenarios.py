"""The two scenarios of a demo: the simulated story, and a real history from a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flatline.clock import WallClock
from flatline.demo import expectations, story
from flatline.demo.expectations import Finding
from flatline.demo.play import Calendar
from flatline.demo.recorded import SOURCE, RecordedHistory, RecordedPlay
from flatline.demo.simulation import Simulation
from flatline.demo.slack_receiver import Message
from flatline.demo.titles import ALL_SERIES, CRAWLERS, SUBJECTS
from flatline.domain.time import DAY_MS, day_of, to_datetime

_STORY_DAYS_PER_S: Final = 3.5
# Its sources send heartbeats. What a worker applies takes up to two seconds until it is committed.
_STORY_SENT_AHEAD_S: Final = 2.0
_RECORDED_TAKES_S: Final = 90
# Who stays sees life go on for so long, and at its end the story's alerts are still firing.
_AFTERWARDS_DAYS: Final = 60
_PERIOD_S: Final = 5


class SimulatedScenario:
    """The story. It ends before today, because Kafka rejects records from the future."""

    sources: tuple[str, ...] = CRAWLERS
    policy_file: Path | None = Path(__file__).with_name("policy.toml")

    def __init__(self, *, days_per_s: float | None) -> None:
        today = day_of(WallClock().now_ms())
        self._begin_day = today - story.DAYS - _AFTERWARDS_DAYS
        speed = days_per_s or _STORY_DAYS_PER_S
        self.calendar = Calendar(self._begin_day * DAY_MS, speed, today * DAY_MS, _STORY_SENT_AHEAD_S)

    def opening(self) -> str:
        """Say in one sentence what will be played."""
        return (
            f"A simulated history: {len(ALL_SERIES) * len(SUBJECTS)} articles in {len(ALL_SERIES)} series, "
            f"{len(CRAWLERS)} crawlers. Its story takes {story.DAYS} days, which take about "
            f"{story.DAYS / self.calendar.days_per_s:.0f} seconds if everything keeps up."
        )

    def play(self, folder: Path) -> Simulation:
        """Return the story."""
        return Simulation(self._begin_day, folder)

    def findings(self, messages: Sequence[Message], violations: Sequence[Message]) -> list[Finding]:
        """Compare what Slack got with what the story must cause."""
        return expectations.findings(messages, violations)


class RecordedScenario:
    """The history of a file. Its last part happens during the demo; what Slack should get is not known."""

    sources: tuple[str, ...] = (SOURCE,)
    policy_file: Path | None = None

    def __init__(self, path: Path, *, days_per_s: float | None, name: str | None = None) -> None:
        """Read the file; ``name`` is what to call it, if not by its path. Raise `DemoError`, and UnreadableFile."""
        history = RecordedHistory(path)
        speed = days_per_s or history.live_days / _RECORDED_TAKES_S
        self._history = history
        starts_ms = history.last_ms - int(history.live_days * DAY_MS)
        self.calendar = Calendar(starts_ms, speed, history.last_ms + 1)
        self._opening = (
            f"The history of {name or path}: {history.events:,} lines, {to_datetime(history.first_ms):%Y-%m-%d} to "
            f"{to_datetime(history.last_ms):%Y-%m-%d}. The last {history.live_days:.0f} days are replayed now, "
            f"{speed:.2g} of them per second if everything keeps up."
        )

    def opening(self) -> str:
        """Say in one sentence what will be played."""
        return self._opening

    def play(self, folder: Path) -> RecordedPlay:  # noqa: ARG002 - it has its file
        """Return the history."""
        # The clock goes no further ahead than most of a period: so much is on its way at a time.
        return RecordedPlay(self._history, self.calendar.starts_ms, period_days=_PERIOD_S * self.calendar.days_per_s)

    def findings(self, messages: Sequence[Message], violations: Sequence[Message]) -> list[Finding]:  # noqa: ARG002
        """Return nothing."""
        return []
