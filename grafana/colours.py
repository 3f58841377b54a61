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
NEUTRAL: Final = "blue"
OF_STATE: Final[Mapping[str, str]] = {
    State.NEW: "light-blue",
    State.BURSTING: "purple",
    State.GROWING: "dark-green",
    State.STEADY: "green",
    State.COOLING: "orange",
    State.SILENT: "red",
    State.DORMANT: "#808080",
    State.REVIVED: "blue",
}


class Limit(NamedTuple):
    """From a value on, a colour."""

    value: float
    colour: str


def thresholds(*limits: Limit, base: str = GOOD) -> dashboard.ThresholdsConfig:
    """Return thresholds that begin with ``base``."""
    steps = [Threshold(color=base), *(Threshold(value=limit.value, color=limit.colour) for limit in limits)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def fixed(colour: str) -> list[DynamicConfigValue]:
    """Return the override that gives a field one colour."""
    return [DynamicConfigValue("color", {"mode": FieldColorModeId.FIXED, "fixedColor": colour})]


def words(meanings: Mapping[int, tuple[str, str]]) -> ValueMap:
    """Return a mapping of numbers to a word and its colour."""
    return ValueMap(
        {str(number): ValueMappingResult(text=text, color=colour) for number, (text, colour) in meanings.items()}
    )
