"""What a demo plays: a history. A part of it is known when the watch begins; the rest happens during the demo."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from flatline.demo.expectations import Finding
from flatline.demo.slack_receiver import Message
from flatline_connectors.files.lines import Line, LineFile


class TimedEvent(NamedTuple):
    """A link event as JSON, the source that reports it, and when."""

    at_ms: int
    source: str
    line: bytes


class Act(NamedTuple):
    """An event of the story, in words for the audience."""

    at_ms: int
    words: str


class Play(Protocol):
    """A history around the instant ``begins_ms``. All instants are times of the accelerated clock."""

    begins_ms: int
    ends_ms: int
    # How often its sources promise to be heard.
    period_days: float

    # What the team registers before that, if anything, and a file in which all link events are that were known then.
    articles: Path | None
    links: Path

    def past(self, links: LineFile) -> Iterator[Line]:
        """Return the lines of ``links`` that were known before ``begins_ms``."""

    def reports(self, *, from_ms: int, until_ms: int) -> Sequence[TimedEvent]:
        """Return the events that are reported in a half-open range of instants at or after ``begins_ms``, in order."""

    def sources(self, at_ms: int) -> Iterable[str]:
        """Return the sources that are alive at an instant."""

    def acts(self) -> Sequence[Act]:
        """Return the acts, in order."""


class Calendar(NamedTuple):
    """The range of the clock, its maximum speed, and how far ahead of it events are sent: seconds at that speed.

    Workers commit once a second, and the clock waits for that. Sources that are known by their habits would look dead
    at the end of a history that is sent further ahead than the default.
    """

    starts_ms: int
    days_per_s: float
    ends_ms: int
    sent_ahead_s: float = 1.0


class Scenario(Protocol):
    """Prepares a play: its files are not written yet."""

    calendar: Calendar
    # All that ever report.
    sources: tuple[str, ...]
    # The thresholds for it, unless others are wanted.
    policy_file: Path | None

    def opening(self) -> str:
        """Say in one sentence what will be played."""

    def play(self, folder: Path) -> Play:
        """Return the play, which begins when the clock starts; ``folder`` is for its files."""

    def findings(self, messages: Sequence[Message], violations: Sequence[Message]) -> Sequence[Finding]:
        """Compare the messages that Slack accepted, and those that it would have rejected, with what was expected."""
