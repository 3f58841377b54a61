"""The kinds of panels, each set up once. Ids are given by hand and never reused: addresses of panels depend on them."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, heatmap, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeSizing,
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

from grafana.colours import GREY, MARKED, PLAIN, Limit, fixed, thresholds
from grafana.links import Link
from grafana.queries import DATASOURCE, buckets

# Said by the description of each panel that has no data while nothing is wrong.
EMPTY_WHEN_WELL: Final = "Empty if there is no problem."
# By that of each panel whose figure has to be learned from events first: those of some histories don't suffice.
EMPTY_AT_FIRST: Final = "Empty until there is enough data."
# And by that of each panel of what a rule recorded: it has neither job nor instance.
OF_ALL: Final = "Covers all jobs and instances, whatever is selected above."
# Such a panel is empty, too, while nobody looks: when no worker answers.
_NONE_KNOWN: Final = "none known"
_NONE_YET: Final = "none yet"
# Grafana's own "No data" has no room in a small figure.
_UNKNOWN: Final = "n/a"
_LAST: Final = "lastNotNull"
_FIGURE_HEIGHT: Final = 4
_ANY: Final = Limit(0, PLAIN)
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
        return panel.no_value(_NONE_KNOWN)
    return panel.no_value(_NONE_YET) if EMPTY_AT_FIRST in text else panel


def figure(
    panel_id: int,
    title: str,
    text: str,
    *queries: Dataquery,
    unit: str = "short",
    decimals: int = 0,
    width: int = 4,
    limits: Sequence[Limit] = (),
    links: Sequence[Link] = (),
    is_named: bool = False,
) -> stat.Panel:
    """Return a number, or a few side by side. Without limits it is neither good nor bad; no data is grey.

    ``is_named``: the legend of the query is shown, too; of several it always is.
    """
    panel = (
        framed(stat.Panel(), panel_id, title, text, queries, unit=unit, width=width, height=_FIGURE_HEIGHT)
        .decimals(decimals)
        .no_value(_UNKNOWN)
        .thresholds(thresholds(*(limits or [_ANY])))
        .reduce_options(common.ReduceDataOptions().calcs([_LAST]).values(False))
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if is_named else BigValueTextMode.AUTO)
        .orientation(VizOrientation.AUTO)
    )
    return panel.override_by_regexp(".*", [DynamicConfigValue("links", list(links))]) if links else panel


def lines(
    panel_id: int,
    title: str,
    text: str,
    *queries: Dataquery,
    unit: str = "short",
    decimals: int | None = None,
    width: int = 12,
    height: int = 8,
    limits: Sequence[Limit] = (),
    soft_max: float | None = None,
    legend: Sequence[str] = (),
) -> timeseries.Panel:
    """Return curves over time; limits are drawn as dashed lines. Never below zero: nothing here is.

    ``soft_max``: the axis goes up to this at least. Grafana draws a curve of zeros on an axis up to 100, or 10,000 %.
    ``legend``: what is said of each curve there, as "max".
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
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(list(legend))
        )
    )
    if decimals is not None:
        panel.decimals(decimals)
    if soft_max is not None:
        panel.axis_soft_max(soft_max)
    if limits:
        panel.thresholds(thresholds(*limits)).thresholds_style(
            common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        )
    return panel


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """Pile the curves of a panel up: parts of a whole."""
    return panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A")).fill_opacity(40).line_width(1)


def dashed(panel: timeseries.Panel, name: str) -> timeseries.Panel:
    """Draw one curve of a panel as what the others are to be compared with."""
    style = DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})
    return panel.override_by_name(name, [style, *fixed(GREY)])


def bars(
    panel_id: int,
    title: str,
    text: str,
    *queries: Dataquery,
    unit: str = "short",
    decimals: int = 0,
    width: int = 12,
    height: int = 8,
    limits: Sequence[Limit] = (),
) -> bargauge.Panel:
    """Return a bar for each series, by its last value: as thin with one as with ten."""
    return (
        framed(bargauge.Panel(), panel_id, title, text, queries, unit=unit, width=width, height=height)
        .min(0)
        .decimals(decimals)
        .thresholds(thresholds(*(limits or [Limit(0, MARKED)])))
        .reduce_options(common.ReduceDataOptions().calcs([_LAST]).values(False))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .sizing(BarGaugeSizing.MANUAL)
        .min_viz_height(16)
        .max_viz_height(24)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .text(common.VizTextDisplayOptions().title_size(13).value_size(14))
    )


def history(panel_id: int, title: str, text: str, query: Dataquery, *, width: int = 24) -> statetimeline.Panel:
    """Return what one value meant over time, by the mappings that the panel is given."""
    return (
        framed(statetimeline.Panel(), panel_id, title, text, [query], width=width, height=_FIGURE_HEIGHT)
        .show_value(VisibilityMode.AUTO)
        .merge_values(True)
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


def coloured(panel: timeseries.Panel, colours: Mapping[str, str], *, are_patterns: bool = False) -> timeseries.Panel:
    """Give curves the colour of their name, or of the pattern that it matches."""
    for name, colour in colours.items():
        if are_patterns:
            panel.override_by_regexp(name, fixed(colour))
        else:
            panel.override_by_name(name, fixed(colour))
    return panel
