"""What can be seen of each dashboard at a glance; and for each rule there is a dashboard that breaks it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.grafana import looks
from tests.grafana.dashboards import MAY_BE_EMPTY, Dashboard, all_dashboards
from tests.grafana.sound import sound

Damage = Callable[[Dashboard], object]
Look = Callable[[Dashboard], Iterator[str]]
LOOKS: tuple[Look, ...] = (
    looks.alerts_that_matter,
    looks.decimals,
    looks.heights,
    looks.legends,
    looks.names_of_nothing,
    looks.neutral_base,
    looks.no_gaps,
    looks.nothing_is_not_none,
    looks.readable_units,
    looks.soft_axes,
    looks.status_colours,
    looks.table_widths,
    looks.titles,
)
CURVES, FIGURE = 0, 1
# Two screens of 900 pixels, less what is above the panels, in units of 38 pixels.
TWO_SCREENS = (2 * 900 - 120) // 38


def panel(number: int, **fields: Any) -> Damage:
    """Return what changes a panel."""
    return lambda dashboard: dashboard["panels"][number].update(fields)


def size(number: int, **sides: int) -> Damage:
    """Return what makes a panel higher or narrower."""
    return lambda dashboard: dashboard["panels"][number]["gridPos"].update(sides)


def shown(number: int, **fields: Any) -> Damage:
    """Return what changes how the figures of a panel look."""
    return lambda dashboard: dashboard["panels"][number]["fieldConfig"]["defaults"].update(fields)


def without(name: str) -> Damage:
    """Return what leaves a property of the figure to Grafana."""
    return lambda dashboard: dashboard["panels"][FIGURE]["fieldConfig"]["defaults"].pop(name)


def legend(**fields: str) -> Damage:
    """Return what changes the legend of the curves."""
    return lambda dashboard: dashboard["panels"][CURVES]["options"]["legend"].update(fields)


def table(*headings: str, w: int = 24, unit: str = "short", decimals: int | None = 0, base: str = "text") -> Damage:
    """Return what puts a table below, of columns that have no width."""
    look: list[dict[str, Any]] = [{"id": "unit", "value": unit}]
    look += [] if decimals is None else [{"id": "decimals", "value": decimals}]
    look.append({"id": "thresholds", "value": {"steps": [{"color": base, "value": None}]}})
    names = [f"Value #{number}" for number, _ in enumerate(headings)]
    options = {
        "indexByName": {n: i for i, n in enumerate(names)},
        "renameByName": dict(zip(names, headings, strict=True)),
    }

    def add(dashboard: Dashboard) -> None:
        added = sound()["panels"][FIGURE] | {"type": "table", "title": "Facts", "id": 3}
        added["gridPos"] = {"h": 8, "w": w, "x": 0, "y": 8}
        added["fieldConfig"] = {
            "defaults": {},
            "overrides": [{"matcher": {"id": "byName", "options": each}, "properties": look} for each in headings],
        }
        added["transformations"] = [{"id": "organize", "options": options}]
        dashboard["panels"].append(added)

    return add


def threshold(*values: float | None) -> dict[str, Any]:
    """Return thresholds at these values."""
    return {"steps": [{"color": "#808080" if value is None else "red", "value": value} for value in values]}


def alert(severity: str, **fields: Any) -> Damage:
    """Return what draws other alerts."""
    query = f'ALERTS{{alertstate="firing", severity=~"{severity}"}}'
    return lambda dashboard: dashboard["annotations"]["list"][0].update(expr=query, **fields)


def by_status(**colours: str) -> Damage:
    """Return what makes the curves those of status codes, in these colours."""
    patterns = {"success": "2..", "mistake": "4..", "failure": "5.."}

    def change(dashboard: Dashboard) -> None:
        curves = dashboard["panels"][CURVES]
        curves["targets"][0]["legendFormat"] = "{{code}}"
        curves["fieldConfig"]["overrides"] = [
            {
                "matcher": {"id": "byRegexp", "options": patterns[name]},
                "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
            }
            for name, colour in colours.items()
        ]

    return change


BROKEN: list[tuple[Look, str, Damage]] = [
    (looks.alerts_that_matter, "news in red", alert("info", enable=False)),
    (looks.alerts_that_matter, "news by default", alert("warning|info", iconColor="grey")),
    (looks.alerts_that_matter, "any", lambda d: d["annotations"]["list"][0].update(expr='ALERTS{alertstate="firing"}')),
    (looks.decimals, "of a figure", without("decimals")),
    (looks.decimals, "of a column", table("A", decimals=None)),
    (looks.heights, "a poster", size(FIGURE, h=8)),
    (looks.heights, "a cut row", lambda d: (table("A")(d), size(2, h=3)(d))),
    (looks.heights, "a hole", panel(CURVES, description=f"Rejects. {MAY_BE_EMPTY}")),
    (looks.legends, "on the right", legend(placement="right")),
    (looks.legends, "a table", legend(displayMode="table")),
    (looks.names_of_nothing, "names", panel(FIGURE, options={"textMode": "name"})),
    (looks.neutral_base, "green", shown(FIGURE, thresholds={"steps": [{"color": "green", "value": None}]})),
    (looks.neutral_base, "Grafana's own", without("thresholds")),
    (looks.neutral_base, "a column", table("A", base="green")),
    (looks.no_gaps, "a screen of nothing", lambda d: (table("A")(d), size(2, y=20)(d))),
    (looks.nothing_is_not_none, "none", shown(FIGURE, noValue="none")),
    (
        looks.nothing_is_not_none,
        "Grafana's words",
        lambda d: d["panels"][FIGURE]["fieldConfig"]["defaults"].pop("noValue"),
    ),
    (looks.readable_units, "counts a second", shown(CURVES, unit="cps")),
    (looks.readable_units, "events a second", shown(CURVES, unit="eps")),
    (looks.readable_units, "in words", table("A", unit="dtdurations")),
    (looks.soft_axes, "10,000 %", shown(CURVES, unit="percentunit", custom={})),
    (
        looks.soft_axes,
        "a limit off the screen",
        shown(CURVES, thresholds=threshold(None, 11)),
    ),
    (looks.soft_axes, "a limit anywhere", shown(CURVES, thresholds=threshold(None, 5), custom={})),
    (looks.status_colours, "by chance", by_status()),
    (looks.status_colours, "changed", by_status(success="green", mistake="red", failure="orange")),
    (looks.table_widths, "too many columns", table(*"ABCDEFGH")),
    (looks.table_widths, "a narrow table", table(*"ABCD", w=12)),
    (
        looks.titles,
        "cut",
        panel(FIGURE, title="Articles that have been silent " * 3),
    ),
    (looks.titles, "of nothing", panel(FIGURE, title="Its rhythm")),
    (looks.titles, "twice", panel(FIGURE, title="Rejects")),
]


@pytest.mark.parametrize("rule", LOOKS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("dashboard", [sound(), *all_dashboards().values()], ids=["sound", *all_dashboards()])
def test_looks_hold(dashboard: Dashboard, rule: Look) -> None:
    """For every dashboard."""
    assert list(rule(dashboard)) == []


@pytest.mark.parametrize(
    ("rule", "damage"), [(r, d) for r, _, d in BROKEN], ids=[f"{r.__name__}: {n}" for r, n, _ in BROKEN]
)
def test_each_look_finds_what_breaks_it(rule: Look, damage: Damage) -> None:
    """And only that one complains."""
    dashboard = sound()
    damage(dashboard)
    assert {each.__name__ for each in LOOKS if list(each(dashboard))} == {rule.__name__}


def test_each_look_is_broken_once() -> None:
    """A rule that nothing breaks proves nothing."""
    assert {rule for rule, _, _ in BROKEN} == set(LOOKS)


@pytest.mark.parametrize("dashboard", all_dashboards().values(), ids=all_dashboards())
def test_the_first_row_answers(dashboard: Dashboard) -> None:
    """Figures come first, all of one height and none of them folded away."""
    [heading, *rest] = dashboard["panels"]
    first = [panel for panel in rest if panel["gridPos"]["y"] == heading["gridPos"]["h"]]
    assert not heading.get("collapsed")
    assert {panel["type"] for panel in first} == {"stat"}
    assert sum(panel["gridPos"]["w"] for panel in first) == 24
    assert len({panel["gridPos"]["h"] for panel in first}) == 1


def test_each_figure_above_the_portfolio_leads_on() -> None:
    """Whoever sees a figure that is bad wants to see of what."""
    first = [each for each in all_dashboards()["flatline-portfolio"]["panels"] if each["type"] == "stat"]
    for figure in first:
        properties = [each["id"] for override in figure["fieldConfig"]["overrides"] for each in override["properties"]]
        assert "links" in properties, figure["title"]


def test_the_portfolio_has_two_screens() -> None:
    """What is not folded away fits on them, at 1440 by 900."""
    below = 0
    bottom = 0
    for shown_panel in all_dashboards()["flatline-portfolio"]["panels"]:
        place = shown_panel["gridPos"]
        bottom = max(bottom, place["y"] + place["h"] - below)
        if folded := shown_panel.get("panels"):
            below += max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in folded) - place["y"] - place["h"]
    assert bottom <= TWO_SCREENS
