"""Where the dashboards lead: to each other, to the runbook, to an article."""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

TAG: Final = "flatline"
PORTFOLIO: Final = "flatline-portfolio"
ARTICLE: Final = "flatline-article"
COHORTS: Final = "flatline-cohorts"
SOURCES: Final = "flatline-sources"
PIPELINE: Final = "flatline-pipeline"
RUNBOOK: Final = "https://github.com/flatline-links/flatline/blob/main/deploy/RUNBOOK.md"

# The variables that dashboards share, and the time.
_KEPT: Final = "${datasource:queryparam}&${job:queryparam}&${instance:queryparam}&${__url_time_range}"

_Link = Mapping[str, object]


def to_each_other() -> dashboard.DashboardLink:
    """Return the list of all our dashboards; time and variables come along."""
    return (
        dashboard.DashboardLink("Flatline")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .include_vars(True)
        .keep_time(True)
        .tooltip("The other dashboards of Flatline")
    )


def to_the_runbook() -> dashboard.DashboardLink:
    """Return the link to what to do about each alert."""
    return (
        dashboard.DashboardLink("Runbook")
        .type(DashboardLinkType.LINK)
        .url(RUNBOOK)
        .icon("doc")
        .target_blank(True)
        .tooltip("What each alert means, and what to do")
    )


def of_article(value: str) -> list[_Link]:
    """Return the links of an article whose slug Grafana knows as ``value``: to its dashboard, and to itself."""
    return [
        {"title": "Its dashboard", "url": f"/d/{ARTICLE}?var-article=${{{value}:percentencode}}&{_KEPT}"},
        # The slug is an encoded address without its scheme: not to be encoded again.
        {"title": "The article", "url": f"https://${{{value}:raw}}", "targetBlank": True},
    ]


def of_source(value: str) -> list[_Link]:
    """Return the link of a source whose name Grafana knows as ``value``."""
    return [{"title": "This source alone", "url": f"/d/{SOURCES}?var-source=${{{value}:percentencode}}&{_KEPT}"}]
