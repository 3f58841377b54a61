"""The page of sources, and of records that could not be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from flatline.domain.formatting import count
from flatline.page.drawings import Calendar, calendar
from flatline.readmodel.queries.others import DeadLetterFilter, list_dead_letters, list_sources
from flatline.readmodel.queries.source_days import SourceCalendar, source_calendars
from flatline.readmodel.queries.views import DeadLetterRow, SourceRow

KINDS: Final[Mapping[str, str]] = {"links": "a link event", "articles": "an article record", "visits": "visits"}
_DEAD_LETTERS_SHOWN: Final = 50
_CALENDARS_SHOWN: Final = 24
_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_DAY_S: Final = 86_400


@dataclass(frozen=True)
class ShownSource:
    """A source in a word and a sentence."""

    row: SourceRow
    state: str
    tone: str
    sentence: str


@dataclass(frozen=True)
class ShownDeadLetter:
    """A record that could not be read, and where it was.

    ``kind``      what it is, by its topic; None where that is not known
    ``is_whole``  whether all of it is here
    """

    row: DeadLetterRow
    origin: str
    kind: str | None
    is_whole: bool


@dataclass(frozen=True)
class ShownCalendar:
    """The days of a source, counted and drawn."""

    row: SourceCalendar
    drawn: Calendar


@dataclass(frozen=True)
class SourcesView:
    """The page. ``more``: how many calendars are left out. ``kinds``: what a dead letter may be meant as, in words."""

    sources: Sequence[ShownSource]
    calendars: Sequence[ShownCalendar]
    more: int
    dead_letters: Sequence[ShownDeadLetter]
    kinds: Mapping[str, str]


def sources_view(connection: Connection, *, now_ms: int) -> SourcesView:
    """Return the page as of now."""
    shown = shown_sources(connection, now_ms=now_ms)
    letters = list_dead_letters(connection, DeadLetterFilter(resent=False), limit=_DEAD_LETTERS_SHOWN).rows
    calendars = source_calendars(connection, now_ms=now_ms)
    return SourcesView(
        sources=sorted(shown, key=lambda source: source.tone != "bad"),
        calendars=[ShownCalendar(row, calendar(row)) for row in calendars[:_CALENDARS_SHOWN]],
        more=max(0, len(calendars) - _CALENDARS_SHOWN),
        dead_letters=[_shown_letter(letter) for letter in letters],
        kinds=KINDS,
    )


def shown_sources(connection: Connection, *, now_ms: int) -> list[ShownSource]:
    """Return all sources."""
    return [_shown(row, now_ms) for row in list_sources(connection, now_ms=now_ms) if row.source]


def _shown(row: SourceRow, now_ms: int) -> ShownSource:
    state, tone = "no heartbeats", ""
    if row.is_stale is not None:
        state, tone = ("stale", "bad") if row.is_stale else ("fresh", "good")
    elif row.heartbeat_at is not None:
        state = "finished"
    return ShownSource(row, state, tone, _sentence(row, now_ms))


def _sentence(row: SourceRow, now_ms: int) -> str:
    if row.seen_until is None or row.stale_after_s is None:
        return ""
    unseen_s = now_ms / 1_000 - row.seen_until.timestamp()
    return (
        f"It has seen nothing for {_time(unseen_s)}; more than {_time(row.stale_after_s)} is unusual. "
        "Articles that it covers are not called silent until it is back."
    )


def _time(length_s: float) -> str:
    if length_s < 2 * _HOUR_S:
        return count(max(1, int(length_s // _MINUTE_S)), "minute")
    return count(int(length_s // _HOUR_S), "hour") if length_s < 2 * _DAY_S else count(int(length_s // _DAY_S), "day")


def _shown_letter(letter: DeadLetterRow) -> ShownDeadLetter:
    # Topics are named `namespace.links.v1`.
    kind = next((kind for kind in KINDS if f".{kind}." in (letter.topic or "")), None)
    return ShownDeadLetter(letter, _origin(letter), kind, len(letter.value.encode()) == letter.value_bytes)


def _origin(letter: DeadLetterRow) -> str:
    if letter.topic:
        return f"{letter.topic}, partition {letter.partition}, offset {letter.record_offset}"
    if letter.file:
        return f"{letter.file}, line {letter.line}"
    return letter.source or ""
