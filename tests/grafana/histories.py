"""What is played to have something to show: histories in which all is well at first, and then not."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import orjson

from flatline.demo.play import Calendar, Play, TimedEvent
from flatline.demo.recorded import SOURCE, RecordedHistory, RecordedPlay
from flatline.demo.simulation import Simulation
from flatline.demo.titles import CRAWLERS
from flatline.domain.time import DAY_MS
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline_connectors.files.lines import LineFile
from tests.grafana.trouble import CRAWLER, Troubles

_CALM_S: Final = 8
# The crawler is dead from day 40 on. What takes longer than its silence has begun before the clock starts (trouble.py).
_STORY_DAYS: Final = 140
_CALM_UNTIL_STORY_DAY: Final = 30
_SPEED: Final = 9.0
_FILE_TROUBLE_S: Final = 25
_FILE_PERIOD_S: Final = 5
_REGISTERED: Final = 150
_NAMES: Final = ("North", "South", "East", "West")


class History(Protocol):
    """A history, and how its clock goes: until its end, where it stops.

    ``is_made_for_us``  it has something for each panel to show
    ``calm_until_ms``   on its clock; then trouble begins
    ``sources``         all that ever report
    ``addresses``       of articles that are visited
    """

    is_made_for_us: bool
    calendar: Calendar
    calm_until_ms: int
    sources: tuple[str, ...]
    addresses: list[str]

    def play(self, folder: Path) -> Play:
        """Return the play of it; ``folder`` is for its files."""


class SimulatedHistory:
    """The demo's story until a crawler has been dead for long, and beside it one article in each kind of trouble."""

    is_made_for_us = True
    sources: tuple[str, ...] = (*CRAWLERS, CRAWLER)

    def __init__(self, *, today: int) -> None:
        """``today`` is the UTC day on which it ends."""
        self._today = today
        self.calm_until_ms = (today - _STORY_DAYS + _CALM_UNTIL_STORY_DAY) * DAY_MS
        starts_ms = self.calm_until_ms - int(_CALM_S * _SPEED * DAY_MS)
        self.calendar = Calendar(starts_ms, _SPEED, today * DAY_MS)
        self.addresses: list[str] = []

    def play(self, folder: Path) -> Play:
        """Return the story with all that was before the clock starts as its past."""
        troubles = Troubles(self._today)
        play = _StoryAndTroubles(self._today - _STORY_DAYS, folder, troubles, self.calendar.starts_ms)
        self.addresses = [article.url for article in play.simulated_articles]
        return play


class _StoryAndTroubles(Simulation):
    def __init__(self, begin_day: int, folder: Path, troubles: Troubles, now_ms: int) -> None:
        self._troubles = troubles
        super().__init__(begin_day, folder)
        self.begins_ms = now_ms
        past = self.reports(from_ms=0, until_ms=now_ms)
        self.links.write_bytes(b"\n".join(report.line for report in past))
        self.articles = folder / "registered.ndjson"
        records = [article.record for article in self.simulated_articles]
        self.articles.write_bytes(b"\n".join([*records, *troubles.articles]))

    def reports(self, *, from_ms: int, until_ms: int) -> list[TimedEvent]:
        troubles = [report for report in self._troubles.reports if from_ms <= report.at_ms < until_ms]
        return [*super().reports(from_ms=from_ms, until_ms=until_ms), *troubles]

    def sources(self, at_ms: int) -> list[str]:
        return [*super().sources(at_ms), CRAWLER]


class FileHistory:
    """The history of a file, all of it: its last part happens now, and the end of that is called trouble.

    Nobody has registered anything, so the articles with the most links get simulated series, authors and strategies.
    """

    is_made_for_us = False
    sources: tuple[str, ...] = (SOURCE,)

    def __init__(self, file: Path) -> None:
        """Raise `DemoError` if nothing can be played."""
        self._history = RecordedHistory(file)
        ends_ms = self._history.last_ms + 1
        speed = self._history.live_days / (_CALM_S + _FILE_TROUBLE_S)
        self.calendar = Calendar(ends_ms - int(self._history.live_days * DAY_MS), speed, ends_ms)
        self.calm_until_ms = ends_ms - int(_FILE_TROUBLE_S * speed * DAY_MS)
        self.addresses = [url for url, _ in Counter(self._targets()).most_common(_REGISTERED)]

    def play(self, folder: Path) -> Play:
        """Return its last part, with all before as its past."""
        period_days = _FILE_PERIOD_S * self.calendar.days_per_s
        play = RecordedPlay(self._history, self.calendar.starts_ms, period_days=period_days)
        play.articles = folder / "registered.ndjson"
        play.articles.write_bytes(b"\n".join(self._records()))
        return play

    def _targets(self) -> Iterator[str]:
        for line in LineFile(self._history.path):
            try:
                yield codec.links.decode(line.value).url_to
            except Rejected:
                continue

    def _records(self) -> Iterator[bytes]:
        for number, url in enumerate(self.addresses):
            name = _NAMES[number % len(_NAMES)]
            groups = {kind: f"{name} {kind}" for kind in ("series", "author", "strategy")}
            yield orjson.dumps({"url": url, "title": url, "tier": 1 + number % 3} | groups)
