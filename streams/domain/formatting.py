"""Formats numbers and intervals for reason sentences."""

from typing import Final

_WHOLE_FROM: Final = 10
_HALF_A_PERCENT: Final = 0.005


def count(number: int, noun: str) -> str:
    """Return a number with its noun: "1 day", "1,200 links"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def figure(number: float) -> str:
    """Return a number with as many digits as say something: "0.34", "4.6", "1,083"."""
    return f"{number:,.0f}" if number >= _WHOLE_FROM else f"{number:.2g}"


def every(days: float) -> str:
    """Return how often something comes: "every day", "every 4.6 days"."""
    return "every day" if figure(days) == "1" else f"every {figure(days)} days"


def figured(number: float, noun: str) -> str:
    """Return a number as `figure` does, with its noun: "1 day", "2.3 days"."""
    return f"{figure(number)} {noun}{'' if figure(number) == '1' else 's'}"


def percent(probability: float) -> str:
    """Return a probability in whole percent, never as certain: "less than 1%", "34%", "more than 99%"."""
    if probability < _HALF_A_PERCENT:
        return "less than 1%"
    return f"{probability:.0%}" if probability < 1 - _HALF_A_PERCENT else "more than 99%"
