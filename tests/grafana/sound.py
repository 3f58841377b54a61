"""A small dashboard in which nothing is wrong, for tests that break it."""

import copy
from typing import Any, Final

from tests.grafana.dashboards import Dashboard

_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}


def _selection(name: str, query: str) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": name.capitalize(),
        "skipUrlSync": False,
        "query": {"query": query, "refId": name},
        "datasource": _SOURCE,
        "multi": True,
        "allowCustomValue": True,
        "refresh": 2,
        "includeAll": True,
        "allValue": ".+",
        "auto": False,
        "auto_min": "10s",
        "auto_count": 30,
    }


# What Grafana gives the colour of the lowest threshold is "No data", too.
_LOOKS: Final[dict[str, dict[str, Any]]] = {
    "timeseries": {"custom": {"axisSoftMax": 10}},
    "stat": {
        "decimals": 0,
        "noValue": "n/a",
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": "#808080", "value": None}, {"color": "red", "value": 1}],
        },
    },
}


def _panel(number: int, kind: str, title: str, query: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": number,
        "type": kind,
        "title": title,
        "description": f"{title}, and what to make of it.",
        "transparent": False,
        "repeatDirection": "h",
        "datasource": _SOURCE,
        "gridPos": {"h": 4 if kind == "stat" else 8, "w": 12, "x": 12 * (number - 1), "y": 0},
        "targets": [{"refId": "A", "expr": query}],
        "fieldConfig": {
            "defaults": {"unit": "short", **_LOOKS.get(kind, {})},
            "overrides": [],
        },
        **fields,
    }


_CHOSEN: Final = 'job=~"$job", instance=~"$instance"'
_SOUND: Final[Dashboard] = {
    "uid": "flatline-sound",
    "title": "Sound",
    "tags": ["flatline"],
    "timezone": "browser",
    "editable": False,
    "graphTooltip": 0,
    "fiscalYearStartMonth": 0,
    "schemaVersion": 41,
    "panels": [
        _panel(
            1,
            "timeseries",
            "Rejects",
            f"sum(rate(flatline_dead_letters_total{{{_CHOSEN}}}[$__rate_interval]))",
            options={
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
                "tooltip": {"mode": "multi", "sort": "desc"},
            },
        ),
        _panel(2, "stat", "Silent", f'sum(flatline_articles{{state="silent", {_CHOSEN}}})'),
    ],
    "templating": {
        "list": [
            {
                "type": "datasource",
                "name": "datasource",
                "label": "Data source",
                "skipUrlSync": False,
                "query": "prometheus",
                "multi": False,
                "allowCustomValue": True,
                "includeAll": False,
                "auto": False,
                "auto_min": "10s",
                "auto_count": 30,
            },
            _selection("job", "label_values(flatline_build_info, job)"),
            _selection("instance", 'label_values(flatline_build_info{job=~"$job"}, instance)'),
        ]
    },
    "annotations": {
        "list": [
            {
                "name": "Alerts",
                "datasource": _SOURCE,
                "enable": True,
                "hide": False,
                "iconColor": "red",
                "builtIn": 0,
                "expr": 'ALERTS{alertstate="firing", severity="warning"}',
            }
        ]
    },
    "links": [],
}


def sound() -> Dashboard:
    """Return a copy that may be changed."""
    return copy.deepcopy(_SOUND)
