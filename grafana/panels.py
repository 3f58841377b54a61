"""The kinds of panels, each set up once. Ids are given by hand and never reused: addresses of panels depend on them."""

from collections.abc import Sequence
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from grafana.colours import NEUTRAL, OF_STATE, Limit, fixed, thresholds
from grafana.queries import DATASOURCE, buckets

# Said by the description of each panel that has no data while nothing is wrong.
EMPTY_WHEN_WELL: Final = "Empty if there is no problem."
# By that of each panel whose figure has to be learned from events first: those of some histories don't suffice.
EMPTY_AT_FIRST: Final = "Empty until there is enough data."
# And by that of each panel of what a rule recorded: it has neither job nor instance.
OF_ALL: Final = "Covers all jobs and instances, whatever is selected above."
_NONE: Final = "none"
_NONE_YET: Final = "none yet"
_LAST: Final = "lastNotNull"
# What Grafana calls it in a legend.
_LAST_COLUMN: Final = "Last *"
_OfStates = TypeVar("_OfStates", stat.Panel, timeseries.Panel, statetimeline.Panel)
_Any = TypeVar("_Any", stat.Panel, timeseries.Panel, bargauge.Panel, statetimeline.Panel, heatmap.Panel, table.Panel)


def framed(
    panel: _Any,
    panel_id: int,
    title: str,
    text: str,
    queries: Sequence[Dataquery],
    *,
    unit: str = "short",
    width: int,
    height: int = 8,
) -> _Any:
    """Give a panel of any kind what every one has; the queries are named A, B, C and so on."""
    lettered: list[Builder[cogvariants.Dataquery]] = [
        query.ref_id(chr(ord("A") + index)) for index, query in enumerate(queries)
    ]
    panel.id(panel_id).title(title).description(text).datasource(DATASOURCE).unit(unit)
    panel.height(height).span(width).targets(lettered)
    if EMPTY_WHEN_WELL in text:
        return panel.no_value(_NONE)
    return panel.no_value(_NONE_YET) if EMPTY_AT_FIRST in text else panel


def figure(
    panel_id: int,
    title: str,
    text: str,
    *queries: Dataquery,
    unit: str = "short",
    width: int = 4,
    limits: Sequence[Limit] = (),
    base: str | None = None,
) -> stat.Panel:
    """Return a number, or a few side by side. Without limits it is neither good nor bad."""
    return (
        framed(stat.Panel(), panel_id, title, text, queries, unit=unit, width=width, height=4)
        .thresholds(thresholds(*limits, base=base or ("green" if limits else NEUTRAL)))
        .reduce_options(common.ReduceDataOptions().calcs([_LAST]).values(False))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .orientation(VizOrientation.AUTO)
    )


def names(panel_id: int, title: str, text: str, *queries: Dataquery, width: int = 4) -> stat.Panel:
    """Return the names of the series, not their values."""
    panel = figure(panel_id, title, text, *queries, width=width).text_mode(BigValueTextMode.NAME)
    return panel.color_mode(BigValueColorMode.BACKGROUND)


def lines(
    panel_id: int,
    title: str,
    text: str,
    *queries: Dataquery,
    unit: str = "short",
    width: int = 12,
    height: int = 8,
    limits: Sequence[Limit] = (),
    is_many: bool = False,
) -> timeseries.Panel:
    """Return curves over time; limits are drawn as dashed lines. Never below zero: nothing here is.

    ``is_many``: there is one for each source, worker or so. A legend below would leave them no room.
    """
    panel = (
        framed(timeseries.Panel(), panel_id, title, text, queries, unit=unit, width=width, height=height)
        .min(0)
        .line_width(2)
        .fill_opacity(0)
        .show_points(VisibilityMode.NEVER)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .legend(
            common.VizLegendOptions()
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.RIGHT if is_many else LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs([_LAST])
            .sort_by(_LAST_COLUMN)
            .sort_desc(True)
        )
    )
    if limits:
        panel.thresholds(thresholds(*limits)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        )
    return panel


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """Pile the curves of a panel up: parts of a whole."""
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A")).fill_opacity(40).line_width(1)


def dashed(panel: timeseries.Panel, name: str, colour: str) -> timeseries.Panel:
    """Draw one curve of a panel as what the others are to be compared with."""
    style = DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})
    return panel.override_by_name(name, [style, *fixed(colour)])


def bars(
    panel_id: int,
    title: str,
    text: str,
    *queries: Dataquery,
    unit: str = "short",
    width: int = 12,
    height: int = 8,
    limits: Sequence[Limit] = (),
) -> bargauge.Panel:
    """Return a bar for each series, by its last value."""
    return (
        framed(bargauge.Panel(), panel_id, title, text, queries, unit=unit, width=width, height=height)
        .min(0)
        .thresholds(thresholds(*limits, base="green" if limits else NEUTRAL))
        .reduce_options(common.ReduceDataOptions().calcs([_LAST]).values(False))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
    )


def history(panel_id: int, title: str, text: str, query: Dataquery, *, width: int = 12) -> statetimeline.Panel:
    """Return which of several names held when, a row a name."""
    return (
        framed(statetimeline.Panel(), panel_id, title, text, [query], width=width)
        .show_value(VisibilityMode.NEVER)
        .line_width(0)
        .fill_opacity(80)
        .legend(common.VizLegendOptions().show_legend(False).display_mode(LegendDisplayMode.LIST))
    )


def spread(panel_id: int, title: str, text: str, histogram: str, *, width: int = 12, height: int = 8) -> heatmap.Panel:
    """Return how a histogram's observations, in seconds, were spread over time."""
    return (
        framed(heatmap.Panel(), panel_id, title, text, [buckets(histogram)], width=width, height=height)
        .calculate(False)
        .y_axis(heatmap.YAxisConfig().unit("s"))
        .color(heatmap.HeatmapColorOptions().scheme("Blues").steps(32))
        .cell_gap(1)
    )


def coloured_by_state(panel: _OfStates) -> _OfStates:
    """Give each state its colour."""
    for state, colour in OF_STATE.items():
        panel.override_by_name(state, fixed(colour))
    return panel
