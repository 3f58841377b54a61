"""Every query of a dashboard, asked of a real Prometheus as Grafana would ask it."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tests.grafana.dashboards import (
    MAY_BE_EMPTY,
    Dashboard,
    Panel,
    Target,
    Variable,
    annotation_query,
    annotations,
    targets,
    variable_query,
    variables,
)
from tests.grafana.installation import Lived
from tests.grafana.interpolation import ALL, Span, chosen_text, interpolated
from tests.grafana.prometheus_api import PrometheusApi, Refused, Series, figures

_LABEL_VALUES: Final = re.compile(r"label_values\((?:(?P<selector>.+),)?\s*(?P<label>\w+)\s*\)", re.DOTALL)
_QUERY_RESULT: Final = re.compile(r"query_result\((?P<query>.+)\)", re.DOTALL)
_TROUBLE_LOOKS: Final = 6
_LOOK_EVERY_S: Final = 4.0
_CHOICES_MAX: Final = 300


class Choice(NamedTuple):
    """What is chosen of each variable: its text in queries."""

    texts: Mapping[str, str]
    options: Mapping[str, Sequence[str]]

    def with_(self, variable: Variable, value: str) -> "Choice":
        """Return the choice of another value."""
        name = variable["name"]
        return self._replace(texts={**self.texts, name: chosen_text(variable, value, self.options[name])})


def first_choice(prometheus: PrometheusApi, dashboard: Dashboard, span: Span) -> Choice:
    """Return what Grafana chooses when a dashboard is opened: all, or else the first there is."""
    texts = dict(span.built_in)
    options: dict[str, Sequence[str]] = {}
    for variable in variables(dashboard):
        name = variable["name"]
        options[name] = _options(prometheus, variable, texts, span)
        if variable.get("includeAll"):
            texts[name] = chosen_text(variable, ALL, options[name])
        elif options[name]:
            texts[name] = chosen_text(variable, options[name][0], options[name])
    return Choice(texts, options)


def _options(prometheus: PrometheusApi, variable: Variable, texts: Mapping[str, str], span: Span) -> Sequence[str]:
    query = variable_query(variable)
    if variable["type"] == "datasource":
        return ["prometheus"]
    if variable["type"] != "query":
        return [value.partition(" : ")[2] or value for value in re.split(r"\s*,\s*", query)]
    asked = interpolated(query, texts)
    if call := _LABEL_VALUES.fullmatch(asked):
        values = prometheus.label_values(call["label"], (call["selector"] or "").strip(), span)
    elif call := _QUERY_RESULT.fullmatch(asked):
        values = [_words(series) for series in prometheus.instant(call["query"], span.end_s)]
    else:
        raise Refused(f"variable {variable['name']}: only Grafana knows {query!r}")
    return _matching(variable.get("regex") or "", values)


def _words(series: Series) -> str:
    labels = ",".join(f'{name}="{value}"' for name, value in series["metric"].items() if name != "__name__")
    return f"{series['metric'].get('__name__', '')}{{{labels}}} {series['value'][1]} {series['value'][0]}"


def _matching(regex: str, values: Sequence[str]) -> list[str]:
    """Return what a variable's regex, /.../ in Grafana, leaves of the values: its group, if it has one."""
    pattern = re.compile(re.sub(r"\(\?<(\w)", r"(?P<\1", regex.strip("/")))
    found = [found for value in values if (found := pattern.search(value))]
    if not regex:
        return list(values)
    group = "value" if "value" in pattern.groupindex else min(pattern.groups, 1)
    return list(dict.fromkeys(each[group] for each in found))


def failures(lived: Lived, dashboard: Dashboard, *, is_simulated: bool = True) -> Iterator[str]:
    """Yield what of a dashboard has no data: while all was well, or, where that is to be empty, in trouble.

    Of a history that was not made for it, less is asked: what may be empty need only be understood by Prometheus, and
    data of any one article, where one is to be chosen, will do.
    """
    name = dashboard["title"]
    calm = first_choice(lived.prometheus, dashboard, lived.calm)
    whole = first_choice(lived.prometheus, dashboard, lived.whole)
    for variable in variables(dashboard, "query"):
        if not calm.options[variable["name"]]:
            yield f"{name}: variable {variable['name']} has no values: {variable_query(variable)}"
    for panel, target in targets(dashboard):
        may_be_empty = MAY_BE_EMPTY in panel.get("description", "")
        place = f"{name}: panel {panel['title']!r} {target['refId']}: {target['expr']}"
        try:
            if not may_be_empty:
                choices = [calm.texts] if is_simulated else _texts(dashboard, target, calm)
                yield from _nothing(place, *_asked(lived.prometheus, target, choices, lived.calm))
            elif not _has_data_in_trouble(lived, dashboard, target, whole) and is_simulated:
                yield f"{place}: empty in trouble, too"
            yield from _unknown_labels(lived, panel, target, whole)
        except (Refused, KeyError) as error:
            yield f"{place}: {error!r}"
    for annotation in annotations(dashboard):
        asked: Target = {"expr": annotation_query(annotation)}
        if is_simulated and not _has_data_in_trouble(lived, dashboard, asked, whole):
            yield f"{name}: annotation {annotation['name']}: no data: {asked['expr']}"


def _nothing(place: str, query: str, series: list[Series]) -> Iterator[str]:
    if not figures(series):
        yield f"{place}: {f'{len(series)} series without a number' if series else 'no data'}: {query}"


def _asked(
    prometheus: PrometheusApi, target: Target, choices: Iterable[Mapping[str, str]], span: Span
) -> tuple[str, list[Series]]:
    """Return the query as it is sent, and what it gives: of the first of the choices with which it gives any."""
    query, series = "", []
    for texts in choices:
        query = interpolated(target["expr"], texts)
        is_instant = target.get("instant") and not target.get("range")
        series = prometheus.instant(query, span.end_s) if is_instant else prometheus.range(query, span)
        if figures(series):
            break
    return query, series


def _texts(dashboard: Dashboard, target: Target, choice: Choice) -> Iterator[Mapping[str, str]]:
    """Yield the texts of the choice, and of every other value where one value of many is to be chosen."""
    yield choice.texts
    for variable in variables(dashboard, "query", "custom"):
        name = variable["name"]
        if not variable.get("includeAll") and re.search(rf"\${{?{name}\b", target["expr"]):
            for value in choice.options[name][1:_CHOICES_MAX]:
                yield choice.with_(variable, value).texts


def _has_data_in_trouble(lived: Lived, dashboard: Dashboard, target: Target, choice: Choice) -> bool:
    """Whether there is data at some time of the trouble's last seconds."""
    looks = (lived.whole._replace(end_s=lived.whole.end_s - _LOOK_EVERY_S * each) for each in range(_TROUBLE_LOOKS))
    choices = list(_texts(dashboard, target, choice))
    return any(figures(_asked(lived.prometheus, target, choices, span)[1]) for span in looks)


def _unknown_labels(lived: Lived, panel: Panel, target: Target, choice: Choice) -> Iterator[str]:
    """Yield the labels in a legend that no series has."""
    used = set(re.findall(r"{{\s*(\w+)\s*}}", target.get("legendFormat", "")))
    if not used:
        return
    series = lived.prometheus.range(interpolated(target["expr"], choice.texts), lived.whole)
    known = {label for each in series for label in each["metric"]}
    if series and not used <= known:
        yield f"panel {panel['title']!r} {target['refId']}: the legend names {sorted(used - known)} of {sorted(known)}"
