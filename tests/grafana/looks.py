"""What can be seen of a panel at a glance, held by rules. Each yields what is wrong, as those of `linter` do.

Sizes are those of Grafana 11 in a window of 1440 pixels whose menu is docked, which leaves 1140 for the panels.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from tests.grafana.dashboards import MAY_BE_EMPTY, Dashboard, Panel, all_panels, annotation_query, annotations, panels
from tests.grafana.units import PER_SECOND

_COLUMN_PX: Final = 46.5
_GAP_PX: Final = 8
_TABLE_PADDING_PX: Final = 18
_CELL_PX: Final = 150
_LETTER_PX: Final = 6.5
_BESIDE_TITLE_PX: Final = 60
_FULL_WIDTH: Final = 24
_NEUTRAL: Final = {"#808080", "text"}
_NOTHING: Final = {"none known", "none yet", "n/a", "never counted", None}
_HEIGHTS: Final = {"stat": range(3, 6), "table": range(4, 13)}
_EMPTY_HEIGHTS: Final = {"table": 10}
_EMPTY_HEIGHT: Final = 7
_TABLE_LEGEND_HEIGHT: Final = 10
# Alone, in an image or a message, such a title says nothing.
_POINTS_ELSEWHERE: Final = re.compile(r"(its|it|the same|of|in|by) ", re.IGNORECASE)
_HARD_TO_READ: Final = {"dtdurations", "dateTimeAsIso", "cps"}
_PIPELINE: Final = "flatline-pipeline"
_STATUS_COLOURS: Final = {"2..": "green", "4..": "orange", "5..": "red"}


def _defaults(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = panel.get("fieldConfig", {}).get("defaults", {})
    return found


def _overrides(panel: Panel) -> dict[str, dict[str, Any]]:
    """Return the properties by what they are of: a name, or a pattern."""
    found: dict[str, dict[str, Any]] = {}
    for override in panel.get("fieldConfig", {}).get("overrides", []):
        properties = {each["id"]: each.get("value") for each in override["properties"]}
        found.setdefault(str(override["matcher"]["options"]), {}).update(properties)
    return found


def _of_type(dashboard: Dashboard, *types: str) -> Iterator[Panel]:
    return (panel for panel in panels(dashboard) if panel["type"] in types)


def table_widths(dashboard: Dashboard) -> Iterator[str]:
    """No column of a table is off the screen."""
    for panel in _of_type(dashboard, "table"):
        [organize] = [each["options"] for each in panel["transformations"] if each["id"] == "organize"]
        looks = _overrides(panel)
        headings = [organize["renameByName"][name] for name in organize["indexByName"]]
        widths = (looks.get(heading, {}) for heading in headings)
        needed = sum(look.get("custom.width") or look.get("custom.minWidth") or _CELL_PX for look in widths)
        room = panel["gridPos"]["w"] * _COLUMN_PX - _GAP_PX - _TABLE_PADDING_PX
        if needed > room:
            yield f"{panel['title']!r}: {headings} need {needed} px of {room:.0f}"


def heights(dashboard: Dashboard) -> Iterator[str]:
    """Neither is a table's row cut, nor a figure a poster, nor a hole there while nothing is wrong."""
    for panel in panels(dashboard):
        height = panel["gridPos"]["h"]
        if height not in _HEIGHTS.get(panel["type"], range(1, 13)):
            yield f"{panel['title']!r} has the height {height}"
        if MAY_BE_EMPTY in panel["description"] and height > _EMPTY_HEIGHTS.get(panel["type"], _EMPTY_HEIGHT):
            yield f"{panel['title']!r} may be empty on a height of {height}"


def legends(dashboard: Dashboard) -> Iterator[str]:
    """Curves have room: their legend is a list below, or a table where there is much of it."""
    for panel in _of_type(dashboard, "timeseries"):
        legend = panel["options"]["legend"]
        is_large = panel["gridPos"]["w"] == _FULL_WIDTH and panel["gridPos"]["h"] >= _TABLE_LEGEND_HEIGHT
        if legend["placement"] != "bottom" or (legend["displayMode"] != "list" and not is_large):
            yield f"{panel['title']!r} has a {legend['displayMode']} on the {legend['placement']}"


def names_of_nothing(dashboard: Dashboard) -> Iterator[str]:
    """No names alone: where there is nothing, such a figure is an empty box."""
    for panel in _of_type(dashboard, "stat"):
        if panel.get("options", {}).get("textMode") == "name":
            yield f"{panel['title']!r} shows names alone"


def neutral_base(dashboard: Dashboard) -> Iterator[str]:
    """No data is neither well nor bad: Grafana gives it the lowest threshold's colour."""
    for panel in _of_type(dashboard, "stat", "bargauge", "table"):
        found = [look["thresholds"] for look in _overrides(panel).values() if "thresholds" in look]
        if panel["type"] != "table":
            found.append(_defaults(panel).get("thresholds", {"steps": [{"color": "that Grafana begins with"}]}))
        for each in found:
            if each["steps"][0]["color"] not in _NEUTRAL:
                yield f"{panel['title']!r}: no data is {each['steps'][0]['color']}"


def nothing_is_not_none(dashboard: Dashboard) -> Iterator[str]:
    """Where there is no data nobody says that there is none: perhaps nobody looked."""
    for panel in panels(dashboard):
        said = _defaults(panel).get("noValue")
        if said not in _NOTHING or (panel["type"] == "stat" and said is None):
            yield f"{panel['title']!r} says {said!r} where nothing is known"


def titles(dashboard: Dashboard) -> Iterator[str]:
    """Titles have their room, are there once, and say what they are of."""
    shown = [panel for panel in all_panels(dashboard) if panel.get("title")]
    for title, times in Counter(panel["title"] for panel in shown).items():
        if times > 1:
            yield f"{title!r} is there {times} times"
    for panel in panels(dashboard):
        title = panel["title"]
        if _LETTER_PX * len(title) > panel["gridPos"]["w"] * _COLUMN_PX - _BESIDE_TITLE_PX:
            yield f"{title!r} is cut"
        if _POINTS_ELSEWHERE.match(title):
            yield f"{title!r} doesn't say of what"


def soft_axes(dashboard: Dashboard) -> Iterator[str]:
    """Zeros are not drawn on an axis up to 100 or 10,000 %, and a limit is on the screen while all is well."""
    for panel in _of_type(dashboard, "timeseries"):
        look = _defaults(panel)
        top = look.get("max", look.get("custom", {}).get("axisSoftMax"))
        limits = [step["value"] for step in look.get("thresholds", {}).get("steps", []) if step.get("value")]
        if top is None and (look["unit"] == "percentunit" or MAY_BE_EMPTY in panel["description"] or limits):
            yield f"{panel['title']!r}: its axis ends where Grafana likes"
        elif top is not None and limits and max(limits) > top:
            yield f"{panel['title']!r}: its limit {max(limits)} is beyond {top}"


def readable_units(dashboard: Dashboard) -> Iterator[str]:
    """People read days and shares. What happens some times a day has no rate a second, but on Pipeline."""
    for panel in panels(dashboard):
        units = {_defaults(panel).get("unit"), *(look.get("unit") for look in _overrides(panel).values())}
        for unit in units & _HARD_TO_READ:
            yield f"{panel['title']!r} has the unit {unit}"
        if dashboard["uid"] != _PIPELINE and units & PER_SECOND:
            yield f"{panel['title']!r} counts by the second"


def decimals(dashboard: Dashboard) -> Iterator[str]:
    """Figures above and beside each other have as many decimals."""
    for panel in panels(dashboard):
        if panel["type"] in {"stat", "bargauge"} and "decimals" not in _defaults(panel):
            yield f"{panel['title']!r} has any number of decimals"
        if panel["type"] == "table":
            for heading, look in _overrides(panel).items():
                if "unit" in look and "decimals" not in look:
                    yield f"{panel['title']!r}: {heading} has any number of decimals"


def status_colours(dashboard: Dashboard) -> Iterator[str]:
    """Of HTTP's status codes, 2xx is green, 4xx orange, 5xx red."""
    for panel in _of_type(dashboard, "timeseries"):
        if any("{{code}}" in target.get("legendFormat", "") for target in panel["targets"]):
            look = _overrides(panel)
            found = {of: look.get(of, {}).get("color", {}).get("fixedColor") for of in _STATUS_COLOURS}
            if found != _STATUS_COLOURS:
                yield f"{panel['title']!r} has the colours {found}"


def alerts_that_matter(dashboard: Dashboard) -> Iterator[str]:
    """Alerts that only inform, good news among them, are off by default and not red."""
    for annotation in annotations(dashboard):
        query = annotation_query(annotation)
        if "ALERTS" not in query:
            continue
        severities = set("|".join(re.findall(r'severity=~?"([^"]+)"', query)).split("|"))
        if not severities <= {"critical", "warning"} and (annotation["enable"] or annotation["iconColor"] == "red"):
            yield f"{annotation['name']} draws {sorted(severities)}"


def no_gaps(dashboard: Dashboard) -> Iterator[str]:
    """Rows follow each other: no screen is empty between two."""
    shown = sorted(dashboard["panels"], key=lambda panel: panel["gridPos"]["y"])
    bottom = 0
    for panel, after in pairwise(shown):
        bottom = max(bottom, panel["gridPos"]["y"] + panel["gridPos"]["h"])
        bottom = max([bottom, *(each["gridPos"]["y"] + each["gridPos"]["h"] for each in panel.get("panels", []))])
        if after["gridPos"]["y"] > bottom:
            yield f"there is nothing above {after['title']!r}"
