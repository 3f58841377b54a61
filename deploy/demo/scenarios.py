"""The two things that a demo can play: the simulated story, and a real history from a file."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.demo import expectations, story
from deploy.demo.errors import DemoError
from deploy.demo.expectations import Finding
from deploy.demo.play import Calendar
from deploy.demo.recorded import SOURCE, RecordedHistory, RecordedPlay
from deploy.demo.simulation import Simulation
from deploy.demo.slack_receiver import Message
from deploy.demo.titles import ALL_SERIES, CRAWLERS, SUBJECTS
from streams.domain.event_time import to_datetime
from streams.domain.rhythm import DAY_MS, day_of

_STORY_DAYS_PER_S: Final = 3.5
# An article is called revived for 28 days, and Prometheus looks once a second: faster, and Slack may miss it.
_STORY_DAYS_PER_S_MAX: Final = 5.0
_RECORDED_TAKES_S: Final = 90
# The clock runs while everything starts. A history loses its first days to it. The story begins when all is up; the
# days that this did not take are played behind its end, and who stays should still find its alerts firing then. When
# it took more, the story began before anybody looked: some of its first days can be told at once.
_START_TAKES_S: Final = 15
_IMPORTED_LINES_PER_S: Final = 15_000
_START_TAKES_DAYS: Final = 110
_START_TAKES_DAYS_ONCE: Final = 420
_TOLD_AT_ONCE_DAYS_MAX: Final = 30
_PERIOD_S: Final = 5


class SimulatedScenario:
    """The story. It begins when everything is up, and ends before today: Kafka takes nothing from the future."""

    sources: tuple[str, ...] = CRAWLERS

    def __init__(self, *, days_per_s: float | None, is_once: bool) -> None:
        """Raise `DemoError` for a speed at which the story can't be followed."""
        speed = days_per_s or _STORY_DAYS_PER_S
        if speed > _STORY_DAYS_PER_S_MAX:
            raise DemoError(f"At more than {_STORY_DAYS_PER_S_MAX:g} days a second Slack would miss some of the story.")
        today = day_of(_wall_now_ms())
        days = story.DAYS + (_START_TAKES_DAYS_ONCE if is_once else _START_TAKES_DAYS)
        self.calendar = Calendar((today - days) * DAY_MS, speed, today * DAY_MS)

    def opening(self) -> str:
        """Say what is going to be played."""
        return (
            f"A simulated history: {len(ALL_SERIES) * len(SUBJECTS)} articles in {len(ALL_SERIES)} series, "
            f"{len(CRAWLERS)} crawlers. Its story takes {story.DAYS} days, which pass in "
            f"{story.DAYS / self.calendar.days_per_s:.0f} seconds."
        )

    def play(self, now_ms: int, folder: Path) -> Simulation:
        """Return the story. Raise `DemoError` if too much of it would have to be told at once."""
        today, latest = day_of(now_ms), day_of(self.calendar.ends_ms) - story.DAYS
        if today - latest > _TOLD_AT_ONCE_DAYS_MAX:
            raise DemoError("Everything took so long to start that the story can't end by today. Try --speed 1.")
        return Simulation(min(today, latest), folder)

    def findings(self, messages: Sequence[Message], violations: Sequence[Message]) -> list[Finding]:
        """Hold what Slack got against what the story must lead to."""
        return expectations.findings(messages, violations)


class RecordedScenario:
    """The history of a file, the last part of which happens now. Nobody knows what is to be expected of it."""

    sources: tuple[str, ...] = (SOURCE,)

    def __init__(self, path: Path, *, days_per_s: float | None) -> None:
        """Read the file. Raise `DemoError`, and UnreadableFile."""
        history = RecordedHistory(path)
        speed = days_per_s or history.live_days / _RECORDED_TAKES_S
        self._history = history
        start_takes_s = _START_TAKES_S + history.events / _IMPORTED_LINES_PER_S
        starts_ms = history.last_ms - int((history.live_days + speed * start_takes_s) * DAY_MS)
        self.calendar = Calendar(starts_ms, speed, history.last_ms + 1)
        self._opening = (
            f"The history of {path}: {history.events:,} lines, {to_datetime(history.first_ms):%Y-%m-%d} to "
            f"{to_datetime(history.last_ms):%Y-%m-%d}. The last {history.live_days:.0f} days happen now, "
            f"{speed:.2g} of them in a second."
        )

    def opening(self) -> str:
        """Say what is going to be played."""
        return self._opening

    def play(self, now_ms: int, folder: Path) -> RecordedPlay:  # noqa: ARG002 - it has its file
        """Return what is left of the history. Raise `DemoError` if nothing is."""
        if now_ms >= self._history.last_ms:
            raise DemoError("The history was over before everything was up. Play it more slowly: --speed.")
        # Whatever the speed, the player may hang for some seconds without going stale.
        return RecordedPlay(self._history, now_ms, period_days=_PERIOD_S * self.calendar.days_per_s)

    def findings(self, messages: Sequence[Message], violations: Sequence[Message]) -> list[Finding]:  # noqa: ARG002
        """Return nothing."""
        return []


def _wall_now_ms() -> int:
    return time.time_ns() // 1_000_000
