"""Every query of a dashboard, asked of a real Prometheus as Grafana would ask it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tests.grafana.choosing import Choice, first_choice
from tests.grafana.dashboards import (
    MAY_BE_EMPTY,
    MAY_BE_EMPTY_AT_FIRST,
    MAY_BE_EMPTY_AT_TIMES,
    Dashboard,
    Panel,
    Target,
    annotation_query,
    annotations,
    panels,
    variable_query,
    variables,
)
from tests.grafana.installation import Lived
from tests.grafana.interpolation import Span, interpolated
from tests.grafana.prometheus_api import PrometheusApi, Refused, Series, figures

_TROUBLE_LOOKS: Final = 6
_LOOK_EVERY_S: Final = 4.0
_CHOICES_MAX: Final = 300


def failures(lived: Lived, dashboard: Dashboard) -> Iterator[str]:
    """Yield what of a dashboard has no data: while all was well, or, where that is to be empty, in trouble.

    Of a history that was not made for us less is asked: of each panel one query with data, of any one article where one
    is to be chosen; what may be empty, be it at first or at times, need only be understood by Prometheus.
    """
    calm = first_choice(lived.prometheus, dashboard, lived.calm)
    whole = first_choice(lived.prometheus, dashboard, lived.whole)
    for variable in variables(dashboard, "query"):
        if not calm.options[variable["name"]]:
            yield f"variable {variable['name']} has no values: {variable_query(variable)}"
    for panel in panels(dashboard):
        try:
            yield from _failures_of_panel(lived, dashboard, panel, calm=calm, whole=whole)
        except (Refused, KeyError) as error:
            yield f"panel {panel['title']!r}: {error!r}: {[target['expr'] for target in panel['targets']]}"
    for annotation in annotations(dashboard):
        query = annotation_query(annotation)
        if not _has_data_in_trouble(lived, dashboard, {"expr": query}, whole) and lived.is_made_for_us:
            yield f"annotation {annotation['name']}: no data: {query}"


def _failures_of_panel(
    lived: Lived, dashboard: Dashboard, panel: Panel, *, calm: Choice, whole: Choice
) -> Iterator[str]:
    may_be_empty = MAY_BE_EMPTY in panel["description"]
    may_stay_empty = any(each in panel["description"] for each in (MAY_BE_EMPTY_AT_FIRST, MAY_BE_EMPTY_AT_TIMES))
    failed = []
    for target in panel["targets"]:
        place = f"panel {panel['title']!r} {target['refId']}"
        yield from _unknown_labels(place, lived, target, whole)
        if not may_be_empty:
            failed += [f"{place}: {nothing}" for nothing in _nothing(lived, dashboard, target, calm)]
        elif not _has_data_in_trouble(lived, dashboard, target, whole) and lived.is_made_for_us:
            failed.append(f"{place}: empty in trouble, too: {target['expr']}")
    if lived.is_made_for_us or (len(failed) == len(panel["targets"]) and not may_stay_empty):
        yield from failed


def _nothing(lived: Lived, dashboard: Dashboard, target: Target, calm: Choice) -> Iterator[str]:
    """Yield what was asked in vain while all was well."""
    choices = [calm.texts] if lived.is_made_for_us else _texts(dashboard, target, calm)
    query, series = _asked(lived.prometheus, target, choices, lived.calm)
    if not figures(series):
        yield f"{f'{len(series)} series without a number' if series else 'no data'}: {query}"


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
    """Whether there is data in some of the trouble's last seconds, and not only zeros, as while all is well."""
    looks = (lived.whole._replace(end_s=lived.whole.end_s - _LOOK_EVERY_S * each) for each in range(_TROUBLE_LOOKS))
    choices = list(_texts(dashboard, target, choice))
    return any(any(figures(_asked(lived.prometheus, target, choices, span)[1])) for span in looks)


def _unknown_labels(place: str, lived: Lived, target: Target, choice: Choice) -> Iterator[str]:
    """Yield the labels in a legend that no series has."""
    used = set(re.findall(r"{{\s*(\w+)\s*}}", target.get("legendFormat", "")))
    series = lived.prometheus.range(interpolated(target["expr"], choice.texts), lived.whole)
    known = {label for each in series for label in each["metric"]}
    if series and not used <= known:
        yield f"{place}: the legend names {sorted(used - known)} of {sorted(known)}"
