"""One colour, one meaning, on every dashboard."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from flatline.schema.verdict import State

GOOD: Final = "green"
DOUBTFUL: Final = "orange"
BAD: Final = "red"
MARKED: Final = "blue"
# Grafana gives "No data" the colour of the lowest threshold, so that one must not look like a verdict.
GREY: Final = "#808080"
# The colour of ordinary text: white on dark, black on light.
PLAIN: Final = "text"
OF_STATUS: Final[Mapping[str, str]] = {"2..": GOOD, "4..": DOUBTFUL, "5..": BAD}
OF_STATE: Final[Mapping[str, str]] = {
    State.NEW: "light-blue",
    State.BURSTING: "purple",
    State.GROWING: "dark-green",
    State.STEADY: "green",
    State.COOLING: "orange",
    State.SILENT: "red",
    State.DORMANT: GREY,
    State.REVIVED: "blue",
}


class Limit(NamedTuple):
    """From a value on, a colour."""

    value: float
    colour: str


def thresholds(*limits: Limit, base: str = GREY) -> dashboard.ThresholdsConfig:
    """Return thresholds that begin with ``base``, a neutral colour."""
    steps = [Threshold(color=base), *(Threshold(value=limit.value, color=limit.colour) for limit in limits)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def fixed(colour: str) -> list[DynamicConfigValue]:
    """Return the override that gives a field one colour."""
    return [DynamicConfigValue("color", {"mode": FieldColorModeId.FIXED, "fixedColor": colour})]


def text_words(colours: Mapping[str, str]) -> ValueMap:
    """Return a mapping of words to themselves in a colour."""
    return ValueMap({text: ValueMappingResult(text=text, color=colour) for text, colour in colours.items()})


def state_words() -> ValueMap:
    """Return the mapping of states to themselves in their colour."""
    return text_words(OF_STATE)


def words(meanings: Mapping[int, tuple[str, str]]) -> ValueMap:
    """Return a mapping of numbers to a word and its colour."""
    return ValueMap(
        {str(number): ValueMappingResult(text=text, color=colour) for number, (text, colour) in meanings.items()}
    )
