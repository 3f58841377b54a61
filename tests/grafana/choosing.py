"""What is chosen above a dashboard, of what there is to choose."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tests.grafana.dashboards import Dashboard, Variable, variable_query, variables
from tests.grafana.interpolation import ALL, Span, chosen_texts, interpolated
from tests.grafana.prometheus_api import PrometheusApi, Refused, Series

_LABEL_VALUES: Final = re.compile(r"label_values\((?:(?P<selector>.+),)?\s*(?P<label>\w+)\s*\)", re.DOTALL)
_QUERY_RESULT: Final = re.compile(r"query_result\((?P<query>.+)\)", re.DOTALL)


class Choice(NamedTuple):
    """What is chosen of each variable: its text in queries."""

    texts: Mapping[str, str]
    options: Mapping[str, Sequence[str]]

    def with_(self, variable: Variable, value: str) -> "Choice":
        """Return the choice of another value."""
        name = variable["name"]
        return self._replace(texts={**self.texts, **chosen_texts(variable, value, self.options[name])})


def first_choice(prometheus: PrometheusApi, dashboard: Dashboard, span: Span) -> Choice:
    """Return what Grafana chooses when a dashboard is opened: all, or else the first there is."""
    texts = dict(span.built_in)
    options: dict[str, Sequence[str]] = {}
    for variable in variables(dashboard):
        name = variable["name"]
        options[name] = _options(prometheus, variable, texts, span)
        if variable.get("includeAll"):
            texts |= chosen_texts(variable, ALL, options[name])
        elif options[name]:
            texts |= chosen_texts(variable, options[name][0], options[name])
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
