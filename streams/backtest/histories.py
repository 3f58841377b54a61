"""Files of link events into articles, by the very code that the worker uses."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

from streams.domain import link
from streams.domain.article import Article, Header, Sighting
from streams.domain.event_time import EARLIEST_MS, possible_ms, stated_ms
from streams.domain.link import Effect, rel_flags
from streams.domain.referrer import referrer
from streams.domain.segment import Segment
from streams.domain.urls import article_key
from streams.schema import codec
from streams.schema.rejection import Reason, Rejected

URLS_REMEMBERED: Final = 1_000_000
LINES_BETWEEN_LOOKS: Final = 500


class Line(Protocol):
    """A line of a file."""

    @property
    def number(self) -> int:
        """Its number, from 1 on."""

    @property
    def value(self) -> bytes:
        """Its bytes, without the end."""


class LinesOf(Protocol):
    """A file of lines."""

    name: str

    def __iter__(self) -> Iterator[Line]:
        """Return its lines in order."""


class FirstRejected(NamedTuple):
    """Where the first line with some reason stands, and what is wrong with it."""

    file: str
    number: int
    detail: str


@dataclass
class Histories:
    """The sightings of every article, by article key, and what could not be read.

    ``end_ms`` is the time of the newest event: what came later is not known.
    """

    sightings: dict[bytes, list[Sighting]] = field(default_factory=dict)
    end_ms: int = 0
    lines: int = 0
    undated: int = 0
    rejected: Counter[Reason] = field(default_factory=Counter)
    examples: dict[Reason, FirstRejected] = field(default_factory=dict)

    def articles(self) -> Iterator[Article]:
        """Yield each article with all its links, in order of keys."""
        for key in sorted(self.sightings):
            yield article_of(key, self.sightings[key])


def article_of(key: bytes, sightings: Iterable[Sighting]) -> Article:
    """Return an article that has been watched from the beginning of time."""
    article = Article(key, Header(EARLIEST_MS), Segment())
    effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
    article.see(sightings, effects)
    return article


def read(files: Iterable[LinesOf], *, recorded_ms: int, show: Callable[[int], None] = lambda _lines: None) -> Histories:
    """Read files of link events, in any order; what reading raises is passed on.

    ``recorded_ms`` is when an import of them would write the records: nothing happens later. An event without a time of
    its own is counted in ``undated`` and left out, as the time of an import says nothing about its link. ``show`` is
    told now and then how many lines are behind us.
    """
    histories = Histories()
    keys: dict[str, bytes] = {}
    by_key: defaultdict[bytes, list[Sighting]] = defaultdict(list)
    for file in files:
        for line in file:
            histories.lines += 1
            if histories.lines % LINES_BETWEEN_LOOKS == 0:
                show(histories.lines)
            try:
                event = codec.links.decode(line.value)
                page, domain = referrer(event.url_from)
                key = keys.get(event.url_to)
                if key is None:
                    key = article_key(event.url_to, field="url_to")
                    if len(keys) >= URLS_REMEMBERED:
                        keys.clear()
                    keys[event.url_to] = key
            except Rejected as rejected:
                histories.rejected[rejected.reason] += 1
                example = FirstRejected(file.name, line.number, rejected.detail)
                histories.examples.setdefault(rejected.reason, example)
                continue
            if event.occurred_at is None and event.observed_at is None:
                histories.undated += 1
                continue
            at_ms = possible_ms(stated_ms(event, recorded_ms=recorded_ms), recorded_ms=recorded_ms)
            flags = link.ORGANIC if event.discovery == "link_found" else 0
            if event.rel:
                flags |= rel_flags(event.rel)
            by_key[key].append((page, domain, event.change == "gained", at_ms, flags, event.source))
            histories.end_ms = max(histories.end_ms, at_ms)
    histories.sightings = dict(by_key)
    return histories
