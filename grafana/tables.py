"""Tables: what several queries say of the same articles, groups or sources, side by side."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import common, table
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue, ValueMap

from grafana.colours import Limit, thresholds
from grafana.panels import framed
from grafana.queries import rows


class Column(NamedTuple):
    """A column of figures: its heading, its query, how to show it, and from where on it is coloured."""

    heading: str
    expr: str
    unit: str = "short"
    decimals: int | None = None
    limits: Sequence[Limit] = ()
    words: ValueMap | None = None
    is_shown: bool = True


def described(expr: str) -> Column:
    """Return the query of labels alone: its number is not shown."""
    return Column("", expr, is_shown=False)


def facts(
    panel_id: int,
    title: str,
    text: str,
    *columns: Column,
    labels: Mapping[str, str],
    sort_by: str,
    descending: bool = True,
    links: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    width: int = 24,
    height: int = 8,
) -> table.Panel:
    """Return a table with a row for each set of ``labels`` (label to heading), which each column's query has, or some.

    Rows are merged on the labels that the queries share. ``links`` are those of a heading's cells.
    """
    values = ["Value"] if len(columns) == 1 else [f"Value #{chr(ord('A') + index)}" for index in range(len(columns))]
    headings = dict(labels) | {
        value: column.heading for value, column in zip(values, columns, strict=True) if column.is_shown
    }
    hidden = {value: True for value, column in zip(values, columns, strict=True) if not column.is_shown}
    panel = (
        framed(
            table.Panel(),
            panel_id,
            title,
            text,
            [rows(column.expr) for column in columns],
            width=width,
            height=height,
        )
        .with_transformation(DataTransformerConfig("merge", options={}))
        .with_transformation(
            DataTransformerConfig(
                "organize",
                options={
                    "excludeByName": {"Time": True, **hidden},
                    "indexByName": {name: index for index, name in enumerate(headings)},
                    "renameByName": headings,
                },
            )
        )
        .sort_by([common.TableSortByFieldState().display_name(sort_by).desc(descending)])
    )
    for column in columns:
        if column.is_shown:
            panel.override_by_name(column.heading, _look(column))
    for heading, targets in (links or {}).items():
        panel.override_by_name(heading, [DynamicConfigValue("links", list(targets))])
    return panel


def _look(column: Column) -> list[DynamicConfigValue]:
    look = [DynamicConfigValue("unit", column.unit)]
    if column.decimals is not None:
        look.append(DynamicConfigValue("decimals", column.decimals))
    if column.limits:
        look.append(DynamicConfigValue("thresholds", thresholds(*column.limits).build()))
    if column.words is not None:
        look.append(DynamicConfigValue("mappings", [column.words]))
    if column.limits or column.words is not None:
        look.append(DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    return look
