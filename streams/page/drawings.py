"""Small drawings, made by the server so that a page without scripts has them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from math import ceil, log10
from typing import Any, Final, NamedTuple

from flatline.domain.formatting import count
from flatline.domain.groups.cohorts import AGES_DAYS
from flatline.domain.learned.curve import QUOTED_DAYS, QUOTED_SHARE
from flatline.readmodel.queries.source_days import SourceCalendar
from flatline.readmodel.queries.views import CohortRow

SPARK_WEEKS: Final = 104
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 990, 10, 270
_TICKS_Y: Final = 4
_TICKS_X: Final = 6
_POINTS_MAX: Final = 400
_MONTH_WEEKS_MIN: Final = 3


class Spark(NamedTuple):
    """Links a week, newest last. ``heights`` are 0 to 1; ``silent_from``: the place of the first silent week."""

    heights: Sequence[float]
    silent_from: int | None
    label: str


def spark(weeks: Mapping[int, int], *, this_week: int, silent_weeks: int | None) -> Spark:
    """Return the bars of the last SPARK_WEEKS; ``weeks``: links by the number of their week.

    Heights grow with the square root: one link must show beside a hundred.
    """
    links = [weeks.get(week, 0) for week in range(this_week - SPARK_WEEKS + 1, this_week + 1)]
    most = max(links)
    return Spark(
        heights=[(each / most) ** 0.5 if each else 0 for each in links],
        silent_from=None if silent_weeks is None else max(0, SPARK_WEEKS - silent_weeks),
        label=f"{count(sum(links), 'link')} in the last two years",
    )


class Tick(NamedTuple):
    """A mark on an axis."""

    at: float
    words: str


class DrawnBand(NamedTuple):
    """A time in which something was said of an article; ``left`` and ``width`` as drawn."""

    tone: str
    left: float
    width: float


class Note(NamedTuple):
    """Something that happened on a day; ``number``: by which it is called beside the curve."""

    number: int
    day: date
    text: str


class DrawnNote(NamedTuple):
    """Where a note stands as drawn."""

    number: int
    at: float


class Curve(NamedTuple):
    """A drawn curve, and its ``data`` for the script that draws one to look into."""

    gained: str
    expected: str
    bands: Sequence[DrawnBand]
    notes: Sequence[DrawnNote]
    ticks_x: Sequence[Tick]
    ticks_y: Sequence[Tick]
    label: str
    data: Mapping[str, Any]


class Band(NamedTuple):
    """A tone, from a day to another."""

    tone: str
    from_day: date
    to_day: date


def curve(
    days: Sequence[date],
    gained: Sequence[float],
    expected: Sequence[float],
    bands: Iterable[Band],
    notes: Iterable[Note] = (),
) -> Curve:
    """Return the curve of an article; the first three sequences are of one length. Notes of other days are left out."""
    if not days:
        nothing: Mapping[str, Any] = {name: [] for name in ("days", "gained", "expected", "bands", "notes")}
        return Curve("", "", (), (), (), (), "No links yet.", nothing)
    first, last = days[0], days[-1]
    span_days = max(1, (last - first).days)
    most = _round_up(max(1.0, *gained, *expected))

    def x(day: date) -> float:
        return _LEFT + (_RIGHT - _LEFT) * min(max((day - first).days / span_days, 0), 1)

    def y(value: float) -> float:
        return _BOTTOM - (_BOTTOM - _TOP) * value / most

    def line(values: Sequence[float]) -> str:
        chosen = range(0, len(days), max(1, len(days) // _POINTS_MAX))
        return " ".join(f"{x(days[at]):.1f},{y(values[at]):.1f}" for at in (*chosen, len(days) - 1))

    bands = [band for band in bands if band.to_day > first and band.from_day < last]
    notes = [note for note in notes if first <= note.day <= last]
    return Curve(
        gained=line(gained),
        expected=line(expected),
        bands=[DrawnBand(each.tone, x(each.from_day), x(each.to_day) - x(each.from_day)) for each in bands],
        notes=[DrawnNote(each.number, x(each.day)) for each in notes],
        ticks_x=[
            Tick(x(day), f"{day:%Y-%m-%d}")
            for day in (first + timedelta(days=span_days * step // _TICKS_X) for step in range(1, _TICKS_X))
        ],
        ticks_y=[Tick(y(most * step / _TICKS_Y), f"{most * step / _TICKS_Y:,g}") for step in range(_TICKS_Y + 1)],
        label=f"{count(int(gained[-1]), 'link')} gained from {first} to {last}; {expected[-1]:,.1f} were expected.",
        data={
            "days": [_seconds(day) for day in days],
            "gained": list(gained),
            "expected": list(expected),
            "bands": [
                {"tone": each.tone, "from": _seconds(each.from_day), "to": _seconds(each.to_day)} for each in bands
            ],
            "notes": [{"number": each.number, "at": _seconds(each.day), "text": each.text} for each in notes],
        },
    )


class Line(NamedTuple):
    """A drawn line. ``number`` tells it from the others."""

    number: int
    name: str
    points: str


class AgeCurves(NamedTuple):
    """Curves by age side by side; at ``quoted_x`` and ``quoted_y`` is what is often quoted, None: it is not shown."""

    lines: Sequence[Line]
    ticks_x: Sequence[Tick]
    ticks_y: Sequence[Tick]
    label: str
    quoted_x: float | None = None
    quoted_y: float | None = None


def cohort_curves(cohorts: Sequence[CohortRow]) -> AgeCurves:
    """Return the shares of cohorts by age, beside the quoted one."""
    shares = [(cohort.name, [each.share for each in cohort.shares]) for cohort in cohorts]
    ticks_y = [Tick(_y(step / _TICKS_Y), f"{step / _TICKS_Y:.0%}") for step in range(_TICKS_Y + 1)]
    drawn = _age_curves("Shares of links gained by age", shares, ticks_y)
    return drawn._replace(quoted_x=_x_of_age(AGES_DAYS.index(QUOTED_DAYS)), quoted_y=_y(QUOTED_SHARE))


def links_by_age(named: Sequence[tuple[str, Sequence[float | None]]]) -> AgeCurves:
    """Return the curves of links an article; each has one for each of AGES_DAYS, or None."""
    most = _round_up(max(1.0, *(each for _, values in named for each in values if each is not None)))
    heights = [(name, [None if each is None else each / most for each in values]) for name, values in named]
    ticks_y = [Tick(_y(step / _TICKS_Y), f"{most * step / _TICKS_Y:,g}") for step in range(_TICKS_Y + 1)]
    return _age_curves("Links an article gained by age", heights, ticks_y)


class DrawnDay(NamedTuple):
    """A day in a calendar: the number of its week there, its weekday (0: Monday), and what to say of it."""

    week: int
    weekday: int
    state: str
    words: str


class Calendar(NamedTuple):
    """Days in columns of weeks. ``ticks_x``: the weeks in which months begin."""

    days: Sequence[DrawnDay]
    weeks: int
    ticks_x: Sequence[Tick]
    label: str


def calendar(source: SourceCalendar) -> Calendar:
    """Return the calendar of a source."""
    first = source.days[0].day
    monday = first - timedelta(days=first.weekday())
    days, ticks = [], [Tick(0, f"{first:%b}")]
    for each in source.days:
        week = (each.day - monday).days // 7
        told = f"{each.day:%a %Y-%m-%d}: {each.state}" + (
            f", {count(each.events, 'link event')}" if each.events else ""
        )
        days.append(DrawnDay(week, each.day.weekday(), each.state.value, told))
        if each.day.day == 1:
            # The first month gives way where little of it is shown.
            kept = ticks if week - ticks[-1].at >= _MONTH_WEEKS_MIN else []
            ticks = [*kept, Tick(week, f"{each.day:%b}")]
    label = (
        f"From {first} to {source.days[-1].day}: heard on {count(source.heard, 'day')}, "
        f"stale on {source.stale:,}, silent on {source.silent:,}."
    )
    return Calendar(days, days[-1].week + 1, ticks, label)


def _age_curves(about: str, named: Sequence[tuple[str, Sequence[float | None]]], ticks_y: Sequence[Tick]) -> AgeCurves:
    """Draw heights from 0 to 1 over AGES_DAYS, which are at equal distances."""
    lines = []
    for number, (name, heights) in enumerate(named):
        passed = [(_x_of_age(at), _y(height)) for at, height in enumerate(heights) if height is not None]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in [(_LEFT, _BOTTOM), *passed])
        lines.append(Line(number, name, points))
    ticks_x = [Tick(_x_of_age(at), f"{age:,} d") for at, age in enumerate(AGES_DAYS)]
    names = ", ".join(name for name, _ in named)
    return AgeCurves(lines, ticks_x, ticks_y, f"{about}: {names}. The table below has the figures.")


def _x_of_age(at: int) -> float:
    return _LEFT + (_RIGHT - _LEFT) * (at + 1) / len(AGES_DAYS)


def _y(height: float) -> float:
    return _BOTTOM - (_BOTTOM - _TOP) * height


def _round_up(value: float) -> float:
    """Return the next number whose quarters are easy to read."""
    step = 10.0 ** (ceil(log10(value)) - 1)
    return next(each * step for each in (1, 2, 4, 6, 8, 10) if each * step >= value)


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
