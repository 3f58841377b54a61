"""The curve of an article as lines of text."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import plotext

from flatline.domain.explanation.explained import CurvePoint

_COLUMNS_A_LABEL: Final = 20
_LABELS_UPRIGHT: Final = 5


def plot(points: Sequence[CurvePoint], *, width: int, height: int) -> str:
    """Return links gained (a line) and expected (dots) over time, without colours, from two points or more."""
    figure = plotext.figure
    figure.clear()
    figure.theme("colorless")
    figure.plot_size(width, height)
    days = [point.date.toordinal() for point in points]
    lines = (([point.expected for point in points], "·"), ([point.gained for point in points], "braille"))
    for heights, marker in lines:
        signal = figure.signal(days, heights, marker=marker)
        signal.lines()
        figure.draw(signal)
    top = max(1, round(max(height for heights, _ in lines for height in heights)))
    figure.ruler("y").ticks(*_whole(top))
    labels = max(2, width // _COLUMNS_A_LABEL)
    at = [days[0] + (days[-1] - days[0]) * number // (labels - 1) for number in range(labels)]
    figure.ruler("x").ticks(at, [f"{date.fromordinal(day):%Y-%m-%d}" for day in at])
    return str(plotext.uncolorize(str(figure.build())))


def _whole(top: int) -> tuple[list[int], list[str]]:
    """Return places on the upright axis, which are whole numbers of links, and their labels."""
    step = max(1, -(-top // _LABELS_UPRIGHT))
    places = list(range(0, top + 1, step))
    return places, [f"{place:,}" for place in places]
