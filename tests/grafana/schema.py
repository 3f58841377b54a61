"""Grafana's published schema, as the types of its SDK have it: what in a dashboard does not conform."""

import json
import types
import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.cog.runtime import UnknownDataquery, panelcfg_config
from grafana_foundation_sdk.models import dashboard as published

_UNIONS: Final = (typing.Union, types.UnionType)
# What Grafana's Prometheus data source reads of an annotation beside what all data sources do; the types leave it open.
# https://grafana.com/docs/grafana/latest/datasources/prometheus/annotations/
_OF_PROMETHEUS: Final = {"titleFormat", "textFormat", "tagKeys", "useValueForTime", "step"}
# A panel need not say it; the SDK says the defaults then.
_FILLED_IN: Final = "custom"

register_default_plugins()


def violations(dashboard: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong with a dashboard: unknown fields, values of wrong types, unknown panels and queries.

    The SDK decodes without looking at types, and drops what it does not know: so the decoded values are held against
    their declared types, and, encoded again, against what they were decoded from.
    """
    try:
        decoded = published.Dashboard.from_json(dashboard)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        yield f"it can't be decoded: {error!r}"
        return
    yield from _misfits(decoded, published.Dashboard, "dashboard")
    yield from _differences(_without_annotations_own_fields(dashboard), _encoded(decoded), "dashboard")


def _encoded(decoded: object) -> object:
    return json.loads(json.dumps(decoded, cls=JSONEncoder))


def _without_annotations_own_fields(dashboard: dict[str, Any]) -> dict[str, Any]:
    annotations = dashboard.get("annotations")
    if not isinstance(annotations, dict):
        return dashboard
    shared = [
        {key: value for key, value in each.items() if key not in _OF_PROMETHEUS} for each in annotations.get("list", [])
    ]
    return {**dashboard, "annotations": {**annotations, "list": shared}}


def _misfits(value: object, declared: Any, path: str) -> Iterator[str]:
    """Yield what of a value is not as declared."""
    if isinstance(value, UnknownDataquery):
        yield f"{path} is a query of no published kind"
    elif hasattr(value, "from_json"):
        if isinstance(declared, type) and not isinstance(value, declared):
            yield f"{path} is a {type(value).__name__}"
        yield from _misfits_of_fields(value, path)
    elif isinstance(value, dict) and hasattr(declared, "from_json"):  # what the SDK leaves as it came
        decoded = declared.from_json(value)
        yield from _misfits_of_fields(decoded, path)
        yield from _differences(value, _encoded(decoded), path)
    elif typing.get_origin(declared) in _UNIONS:
        # What comes last is None, of which nothing is to be told where there is a value.
        found = [list(_misfits(value, each, path)) for each in typing.get_args(declared)]
        if all(found):
            yield from found[0]
    elif isinstance(value, list | dict) and typing.get_origin(declared) is type(value):
        elements = value.items() if isinstance(value, dict) else enumerate(value)
        for key, element in elements:
            yield from _misfits(element, typing.get_args(declared)[-1], f"{path}[{key}]")
    elif not _fits(value, declared):
        yield f"{path} is {value!r}, which is no {declared}"


def _misfits_of_fields(value: object, path: str) -> Iterator[str]:
    for field, declared in typing.get_type_hints(type(value)).items():
        name = field.removesuffix("_val")
        yield from _misfits(getattr(value, field), declared, f"{path}.{name}")
    if isinstance(value, published.Panel) and panelcfg_config(value.type_val) is None:
        yield f"{path}.type is {value.type_val!r}, of which nothing is published"


def _fits(value: object, declared: Any) -> bool:
    if declared in (Any, object):
        return True
    if typing.get_origin(declared) is typing.Literal:
        return value in typing.get_args(declared)
    if not isinstance(declared, type):
        return False
    if issubclass(declared, Enum):
        return value in [each.value for each in declared]
    if declared is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, declared) and (declared is bool or not isinstance(value, bool))


def _differences(before: object, after: object, path: str) -> Iterator[str]:
    """Yield where a value changed by being decoded and encoded."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() - after.keys():
            yield f"{path}.{key} is unknown"
        for key in after.keys() - before.keys():
            if key != _FILLED_IN:
                yield f"{path}.{key} is missing"
        for key in before.keys() & after.keys():
            yield from _differences(before[key], after[key], f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _differences(one, other, f"{path}[{number}]")
    elif before != after:
        yield f"{path} is {before!r} and would be {after!r}"
