"""Every query of every panel, variable and annotation has data, in a real Prometheus that scraped a real run."""

import re
from collections.abc import Callable

import pytest

from flatline.schema.rejection import Reason
from flatline.schema.verdict import State
from tests.grafana.asking import failures
from tests.grafana.choosing import first_choice
from tests.grafana.dashboards import (
    MAY_BE_EMPTY,
    MAY_BE_EMPTY_AT_FIRST,
    Dashboard,
    all_dashboards,
    annotation_query,
    annotations,
    targets,
    variables,
)
from tests.grafana.installation import Lived
from tests.grafana.interpolation import interpolated
from tests.grafana.prometheus_api import figures
from tests.grafana.sound import sound

PORTFOLIO = "flatline-portfolio"
CHOSEN = '{job=~"$job", instance=~"$instance"}'


@pytest.mark.parametrize("dashboard", all_dashboards().values(), ids=all_dashboards())
def test_every_query_has_data(dashboard: Dashboard, lived: Lived) -> None:
    """While all is well; and what is empty then says so, and has data in trouble."""
    assert [f"{dashboard['title']}: {failure}" for failure in failures(lived, dashboard)] == []


def panel(number: int, expr: str, **fields: object) -> Callable[[Dashboard], object]:
    """Return what has a panel ask something else."""

    def change(dashboard: Dashboard) -> None:
        dashboard["panels"][number]["targets"][0].update(expr=expr)
        dashboard["panels"][number].update(fields)

    return change


MARKED = {"description": f"Links that were lost. {MAY_BE_EMPTY}"}
BROKEN = {
    "empty though it must not be": (panel(0, f"flatline_dead_letters_total{CHOSEN}"), "'Rejects' A: no data"),
    "empty in trouble, too": (
        panel(0, 'flatline_articles{state="gone"}', **MARKED),
        "'Rejects' A: empty in trouble",
    ),
    "no number": (panel(1, f"0 * flatline_articles{CHOSEN} / 0"), "series without a number"),
    "not understood": (panel(1, "sum(flatline_articles) by"), "parse error"),
    "unknown variable": (panel(1, 'flatline_articles{state="$state"}'), "KeyError.'state'"),
    "variable without values": (
        lambda d: d["templating"]["list"][1].update(query="label_values(flatline_nothing, job)"),
        "variable job has no values",
    ),
    "legend of nothing": (
        lambda d: d["panels"][1]["targets"][0].update(legendFormat="{{article}}"),
        r"the legend names \['article'\]",
    ),
    "annotation of nothing": (
        lambda d: d["annotations"]["list"][0].update(expr='ALERTS{alertname="Nothing"}'),
        "annotation Alerts: no data",
    ),
}


@pytest.fixture
def whole() -> Dashboard:
    """Return a dashboard that has data: rejects in trouble alone."""
    dashboard = sound()
    dashboard["panels"][0].update(MARKED)
    return dashboard


def test_what_is_sound_has_data(lived: Lived, whole: Dashboard) -> None:
    """What the next test breaks is whole."""
    assert list(failures(lived, whole)) == []


@pytest.mark.parametrize(("damage", "says"), BROKEN.values(), ids=BROKEN)
def test_whatever_has_no_data_is_found(
    lived: Lived, whole: Dashboard, damage: Callable[[Dashboard], object], says: str
) -> None:
    """With the panel and the query."""
    if not lived.is_made_for_us:
        pytest.skip("less is asked of other histories")
    whole["panels"][0]["description"] = "Rejects."
    whole["panels"][0]["targets"][0]["expr"] = f"flatline_articles{CHOSEN}"
    damage(whole)
    [failure] = failures(lived, whole)
    assert re.search(says, failure), failure


def test_alerts_are_marked_where_they_begin(lived: Lived) -> None:
    """Whatever goes on firing would be a colour over all the rest."""
    if not lived.is_made_for_us:
        pytest.skip("others need not have alerts")
    [query] = [annotation_query(each) for each in annotations(all_dashboards()[PORTFOLIO]) if each["name"] == "Alerts"]
    asked = interpolated(query, lived.whole.built_in)
    firing = times(lived, asked.partition(" unless ")[0])
    marked = times(lived, asked)
    longest_s = 4 * lived.whole.scrape_s
    assert any(max(at) - min(at) > 2 * longest_s for at in firing.values())
    assert {key: min(at) for key, at in marked.items()} == {key: min(at) for key, at in firing.items()}
    for key, at in marked.items():
        begun = {s for s in firing[key] if s - lived.whole.step_s not in firing[key]}
        assert all(any(0 <= s - start <= longest_s for start in begun) for s in at), key


def times(lived: Lived, query: str) -> dict[frozenset[tuple[str, str]], set[float]]:
    """Return when each series of a query is there."""
    series = lived.prometheus.range(query, lived.whole)
    return {
        frozenset((label, value) for label, value in each["metric"].items() if label != "__name__"): {
            at_s for at_s, _ in each["values"]
        }
        for each in series
    }


def test_an_article_with_an_apostrophe_has_figures(lived: Lived) -> None:
    """Addresses have them, and Grafana treats them its own way."""
    if not lived.is_made_for_us:
        pytest.skip("others need not have such an article")
    dashboard = all_dashboards()["flatline-article"]
    [variable] = [each for each in variables(dashboard) if each["name"] == "article"]
    choice = first_choice(lived.prometheus, dashboard, lived.whole)
    [address] = [each for each in choice.options["article"] if "'" in each]
    query = interpolated(query_of(dashboard, "State"), choice.with_(variable, address).texts)
    [number] = figures(lived.prometheus.instant(query, lived.whole.end_s))
    assert 1 <= number <= len(State), query


def test_ten_partitions_are_ten_curves(lived: Lived) -> None:
    """Also where, by and by, more than ten were among the ten with the longest queue."""
    dashboard = all_dashboards()["flatline-pipeline"]
    texts = first_choice(lived.prometheus, dashboard, lived.whole).texts
    query = interpolated(query_of(dashboard, "Partitions with the largest lag"), texts)
    shown, there = (lived.prometheus.range(each, lived.whole) for each in (query, query.partition(" and ")[0]))
    assert len(shown) == min(10, len(there))
    assert max(figures(shown)) == max(figures(there))


def test_what_failed_once_shows(lived: Lived) -> None:
    """A counter that begins with its only failure never increases."""
    dashboard = all_dashboards()["flatline-pipeline"]
    texts = first_choice(lived.prometheus, dashboard, lived.whole).texts
    query = interpolated(query_of(dashboard, "Dead letters by reason"), texts)
    series = lived.prometheus.range(query, lived.whole)
    assert max(figures([each for each in series if each["metric"]["reason"] == Reason.EMPTY])) == 1


def query_of(dashboard: Dashboard, title: str) -> str:
    """Return what a panel asks first."""
    [expr, *_] = [target["expr"] for panel, target in targets(dashboard) if panel["title"] == title]
    return str(expr)


@pytest.mark.parametrize("is_made_for_us", [True, False])
def test_what_has_to_be_learned_first_is_not_asked_of_other_histories(
    lived: Lived, whole: Dashboard, is_made_for_us: bool
) -> None:
    """It may be that too little happens in them; without the mark that is a failure there, too."""
    lived = lived._replace(is_made_for_us=is_made_for_us)
    whole["panels"][1]["targets"][0]["expr"] = f"flatline_nothing{CHOSEN}"
    whole["panels"][1]["description"] = f"What is learned. {MAY_BE_EMPTY_AT_FIRST}"
    assert bool(list(failures(lived, whole))) is is_made_for_us
    whole["panels"][1]["description"] = "What is there."
    assert list(failures(lived, whole))
