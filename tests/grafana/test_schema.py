"""Every dashboard is what Grafana's published schema says a dashboard is."""

from collections.abc import Callable

import pytest

from tests.grafana.dashboards import Dashboard, all_dashboards
from tests.grafana.schema import violations
from tests.grafana.sound import sound

BROKEN: dict[str, tuple[Callable[[Dashboard], object], str]] = {
    "unknown field": (lambda d: d.update(colour="red"), "dashboard.colour is unknown"),
    "misspelt field of a panel": (lambda d: d["panels"][0].update(titel="x"), "dashboard.panels[0].titel is unknown"),
    "misspelt option": (
        lambda d: d["panels"][1].update(options={"colourMode": "value"}),
        "dashboard.panels[1].options.colourMode is unknown",
    ),
    "misspelt field of a query": (
        lambda d: d["panels"][0]["targets"][0].update(expression="up"),
        "dashboard.panels[0].targets[0].expression is unknown",
    ),
    "missing required field": (lambda d: d.pop("schemaVersion"), "dashboard.schemaVersion is missing"),
    "text for a number": (lambda d: d["panels"][0].update(id="1"), "dashboard.panels[0].id is '1'"),
    "truth for a number": (
        lambda d: d["panels"][0]["gridPos"].update(w=True),
        "dashboard.panels[0].grid_pos.w is True",
    ),
    "number for text": (lambda d: d.update(title=1), "dashboard.title is 1"),
    "word that isn't one of a few": (
        lambda d: d["templating"]["list"][1].update(refresh=7),
        "dashboard.templating.list[1].refresh is 7",
    ),
    "word of a panel's own field": (
        lambda d: d["panels"][0]["fieldConfig"]["defaults"].update(custom={"drawStyle": "dots"}),
        "custom.draw_style is 'dots'",
    ),
    "list for an object": (lambda d: d.update(templating=[]), "dashboard.templating is []"),
    "text for an object": (lambda d: d.update(annotations="none"), "dashboard.annotations is 'none'"),
    "panel that Grafana hasn't": (lambda d: d["panels"][0].update(type="timeserie"), "of which nothing is published"),
    "misspelt field of a transformation": (
        lambda d: d["panels"][0].update(transformations=[{"id": "merge", "optoins": {}}]),
        "dashboard.panels[0].transformations[0].optoins is unknown",
    ),
    "number for the name of a transformation": (
        lambda d: d["panels"][0].update(transformations=[{"id": 1, "options": {}}]),
        "dashboard.panels[0].transformations[0].id is 1",
    ),
    "misspelt field of an annotation": (
        lambda d: d["annotations"]["list"][0].update(titleformat="x"),
        "dashboard.annotations.list[0].titleformat is unknown",
    ),
    "query of no kind": (
        lambda d: d["panels"][0]["datasource"].update(type="promtheus"),
        "a query of no published kind",
    ),
}


@pytest.mark.parametrize("dashboard", all_dashboards().values(), ids=all_dashboards())
def test_dashboards_conform(dashboard: Dashboard) -> None:
    """Each field is known, and each value of its type, down to the options of each panel."""
    assert list(violations(dashboard)) == []


def test_what_is_sound_conforms() -> None:
    """What the next test breaks is whole."""
    assert list(violations(sound())) == []


@pytest.mark.parametrize(("damage", "says"), BROKEN.values(), ids=BROKEN)
def test_whatever_breaks_the_schema_is_found(damage: Callable[[Dashboard], object], says: str) -> None:
    """Names, types and choices, at every depth."""
    dashboard = sound()
    damage(dashboard)
    assert any(says in found for found in violations(dashboard)), list(violations(dashboard))
