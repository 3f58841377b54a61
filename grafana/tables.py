"""Tables: what several queries say of the same articles, groups or sources, side by side."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue, ValueMap

from grafana.colours import PLAIN, Limit, thresholds
from grafana.links import Link
from grafana.panels import framed
from grafana.queries import rows

# In a row that has other figures, a label that is missing was looked for.
_NO_LABEL: Final = "-"
# Cells are filled with the more colour the higher a share is.
_SHADED: Final = (
    DynamicConfigValue("color", {"mode": "continuous-blues"}),
    DynamicConfigValue("min", 0),
    DynamicConfigValue("max", 1),
    DynamicConfigValue("custom.cellOptions", {"type": "color-background", "mode": "basic"}),
)


class Column(NamedTuple):
    """A column of figures: its heading, its query, how to show it, and from where on it is coloured."""

    heading: str
    expr: str
    unit: str = "short"
    decimals: int = 0
    width: int = 100
    limits: Sequence[Limit] = ()
    words: ValueMap | None = None
    is_shaded: bool = False


class Label(NamedTuple):
    """A column with the values of a label. Without a width it takes what the others leave: ``at_least`` so much."""

    name: str
    heading: str
    width: int | None = None
    at_least: int = 200
    link: Link | None = None
    colours: ValueMap | None = None


def facts(
    panel_id: int,
    title: str,
    text: str,
    *columns: Label | Column,
    described: Sequence[str] = (),
    sort_by: str,
    descending: bool = True,
    width: int = 24,
    height: int = 8,
) -> table.Panel:
    """Return a table with the columns in this order, and a row for each set of labels, which each query has, or some.

    Rows are merged on the labels that the queries share. ``described`` are queries of labels alone.
    """
    figures = [column for column in columns if isinstance(column, Column)]
    queries = [*(column.expr for column in figures), *described]
    values = ["Value"] if len(queries) == 1 else [f"Value #{chr(ord('A') + index)}" for index in range(len(queries))]
    of_figures = dict(zip((column.heading for column in figures), values, strict=False))
    headings = {column.name if isinstance(column, Label) else of_figures[column.heading]: column for column in columns}
    panel = (
        framed(table.Panel(), panel_id, title, text, [rows(query) for query in queries], width=width, height=height)
        .with_transformation(DataTransformerConfig("merge", options={}))
        .with_transformation(
            DataTransformerConfig(
                "organize",
                options={
                    "excludeByName": {"Time": True, **dict.fromkeys(values[len(figures) :], True)},
                    "indexByName": {name: index for index, name in enumerate(headings)},
                    "renameByName": {name: column.heading for name, column in headings.items()},
                },
            )
        )
        .sort_by([common.TableSortByFieldState().display_name(sort_by).desc(descending)])
    )
    for column in columns:
        look = _look_of_label(column) if isinstance(column, Label) else _look(column)
        panel.override_by_name(column.heading, look)
    return panel


def _look_of_label(label: Label) -> list[DynamicConfigValue]:
    wide = label.width is None
    look = [DynamicConfigValue("custom.minWidth" if wide else "custom.width", label.at_least if wide else label.width)]
    look.append(DynamicConfigValue("noValue", _NO_LABEL))
    if label.link is not None:
        look.append(DynamicConfigValue("links", [label.link]))
    if label.colours is not None:
        look.append(DynamicConfigValue("mappings", [label.colours]))
        look.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    return look


def _look(column: Column) -> list[DynamicConfigValue]:
    look = [
        DynamicConfigValue("unit", column.unit),
        DynamicConfigValue("decimals", column.decimals),
        DynamicConfigValue("custom.width", column.width),
        DynamicConfigValue("custom.align", "right"),
    ]
    if column.is_shaded:
        return [*look, *_SHADED]
    if column.limits:
        look.append(DynamicConfigValue("thresholds", thresholds(*column.limits, base=PLAIN).build()))
    if column.words is not None:
        look.append(DynamicConfigValue("mappings", [column.words]))
    if column.limits or column.words is not None:
        look.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    return look
