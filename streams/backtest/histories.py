"""Reads files of link events into articles, by the code that the worker uses."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import msgspec

from flatline.domain.events.observation import ArticleKeys, observation_of
from flatline.domain.imports.counts import LINKS_MIN, MomentCount
from flatline.domain.imports.imports import Imports
from flatline.domain.imports.moments import Moment, moment_of
from flatline.domain.policy.ignore import Ignored
from flatline.domain.state import link
from flatline.domain.state.article import Article, Header, LinkObservation, Registration, registration_of
from flatline.domain.state.link import Effect
from flatline.domain.state.segment import Segment
from flatline.domain.time import EARLIEST_MS, clamped_ms, day_of, stated_ms, to_ms
from flatline.domain.urls.canonical import article_key
from flatline.domain.visibility.source_history import SourceReport, source_report_of
from flatline.schema import codec
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejected_lines import RejectedLines
from flatline.schema.rejection import Rejected

LINES_BETWEEN_LOOKS: Final = 500
UNREGISTERED: Final = Registration()
# As many reports of a source on a day teach what there is to learn.
REPORTS_A_DAY: Final = 20


class Line(Protocol):
    """A line of a file."""

    @property
    def number(self) -> int:
        """Its number, from 1 on."""

    @property
    def value(self) -> bytes:
        """Its bytes, without the end."""


class History(NamedTuple):
    """What was seen of one article, in order of time, and what is registered about it."""

    key: bytes
    observations: list[LinkObservation]
    registration: Registration

    def article(self, *, watched_since_ms: int = EARLIEST_MS) -> Article:
        """Return the article before anything was seen of it."""
        return Article(self.key, Header(watched_since_ms, registration=self.registration), Segment())

    def link_days(self) -> list[int]:
        """Return its link days, all of them."""
        article = self.article()
        article.apply(self.observations, defaultdict[tuple[str | None, Effect], int](int))
        return list(article.totals.days)


@dataclass
class Histories:
    """The histories of articles, and how many lines there were, of which kinds.

    ``end_ms`` is the time of the newest event: what came later is not known. ``reports`` are the first that sources
    made on a day. ``events`` are those of the article with the key ``about``. ``imports`` are those without a label
    that are recognised in what was read so far.
    """

    about: bytes | None = None
    events: list[LinkEvent] = field(default_factory=list)

    end_ms: int = 0
    lines: int = 0
    undated: int = 0
    ignored: int = 0
    suspected: int = 0
    rejected: RejectedLines = field(default_factory=RejectedLines)
    heartbeats: list[Heartbeat] = field(default_factory=list)
    reports: dict[tuple[str, int], list[SourceReport]] = field(default_factory=dict)
    imports: Imports = field(default_factory=Imports)
    _moments: defaultdict[Moment, list[LinkObservation]] = field(default_factory=lambda: defaultdict(list))
    _observations: defaultdict[bytes, list[LinkObservation]] = field(default_factory=lambda: defaultdict(list))
    _registrations: dict[bytes, Registration] = field(default_factory=dict)

    def read_links(
        self,
        name: str,
        lines: Iterable[Line],
        *,
        recorded_ms: int,
        ignored: Ignored | None = None,
        show: Callable[[int], None] = lambda _lines: None,
    ) -> None:
        """Read a file of link events, in any order; what reading its lines raises is passed on.

        ``recorded_ms`` is when an import of them would write the records: nothing happens later. An event without a
        time of its own is only counted, as the time of an import says nothing about its link. ``show`` is told now and
        then how many lines are behind us.
        """
        keys = ArticleKeys()
        decode, by_key = codec.links.decode, self._observations
        for line in self._counted(lines, show):
            try:
                event = decode(line.value)
                observation = observation_of(event, recorded_ms=recorded_ms, keys=keys, ignored=ignored)
            except Rejected as rejected:
                self.rejected.reject(rejected, file=name, number=line.number)
                continue
            if observation is Effect.IGNORED:
                self.ignored += 1
                continue
            if event.occurred_at is None and event.observed_at is None:
                self.undated += 1
                continue
            if isinstance(observation, LinkObservation):
                if observation.article == self.about:
                    self.events.append(event)
                by_key[observation.article].append(observation)
                at_ms = observation.at_ms
                if (moment := moment_of(event, observation)) is not None:
                    self._moments[moment].append(observation)
            else:
                self.suspected += 1
                at_ms = clamped_ms(stated_ms(event, recorded_ms=recorded_ms), recorded_ms=recorded_ms)
            self.end_ms = max(self.end_ms, at_ms)
            if event.source is not None and event.discovery != "import":
                self._note_report(event.source, event, at_ms)
            elif event.source is not None:
                self.imports.believe(event.source)
        self._recognise_imports()

    def read_articles(self, name: str, lines: Iterable[Line], *, recorded_ms: int) -> None:
        """Read a file of article records; of several on one article the last counts."""
        for line in self._counted(lines, lambda _lines: None):
            try:
                record = codec.articles.decode(line.value)
                key = article_key(record.url, field="url")
            except Rejected as rejected:
                self.rejected.reject(rejected, file=name, number=line.number)
            else:
                self._registrations[key] = registration_of(record, recorded_ms=recorded_ms)

    def read_heartbeats(self, name: str, lines: Iterable[Line]) -> None:
        """Read a file of heartbeats, in any order."""
        for line in self._counted(lines, lambda _lines: None):
            try:
                self.heartbeats.append(codec.heartbeats.decode(line.value))
            except Rejected as rejected:
                self.rejected.reject(rejected, file=name, number=line.number)

    def __iter__(self) -> Iterator[History]:
        """Return the history of each article, in order of keys."""
        return map(self.of, sorted(self._observations))

    def of(self, key: bytes) -> History:
        """Return the history of one article; nothing was seen of one that is not known.

        What was imported is no sign of life in it, whether it has a label or was recognised.
        """
        in_order = sorted(self._observations.get(key, ()), key=lambda observation: observation.at_ms)
        instants = self.imports.instants_of({each.source for each in in_order if each.is_gain and each.source})
        if instants:
            in_order = [_imported(each) if each.at_ms in instants else each for each in in_order]
        return History(key, in_order, self.registration_of(key))

    def _recognise_imports(self) -> None:
        for moment, observations in self._moments.items():
            if len(observations) >= LINKS_MIN and moment not in self.imports:
                count = MomentCount()
                for each in observations:
                    count.add_link(each.article, each.page)
                if count.is_import:
                    self.imports.recognise(moment)

    def registration_of(self, key: bytes) -> Registration:
        """Return what is registered about an article."""
        return self._registrations.get(key, UNREGISTERED)

    @property
    def keys(self) -> Collection[bytes]:
        """The keys of all articles."""
        return self._observations.keys()

    def __len__(self) -> int:
        """Return how many articles there are."""
        return len(self._observations)

    def _note_report(self, source: str, event: LinkEvent, at_ms: int) -> None:
        """Note what an event teaches of its source, as if it had reached us when it was observed."""
        arrived_ms = at_ms if event.observed_at is None else to_ms(event.observed_at)
        reports = self.reports.setdefault((source, day_of(arrived_ms)), [])
        if len(reports) < REPORTS_A_DAY:
            report = source_report_of(event, recorded_ms=arrived_ms, now_ms=arrived_ms)
            if report is not None:
                reports.append(report)

    def _counted(self, lines: Iterable[Line], show: Callable[[int], None]) -> Iterator[Line]:
        for line in lines:
            self.lines += 1
            if self.lines % LINES_BETWEEN_LOOKS == 0:
                show(self.lines)
            yield line


def _imported(observation: LinkObservation) -> LinkObservation:
    return msgspec.structs.replace(observation, flags_and_traits=observation.flags_and_traits & ~link.ORGANIC)
