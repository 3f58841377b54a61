"""Where the dashboards lead: to each other, to the runbook, to an article."""

from collections.abc import Mapping
from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

PORTFOLIO: Final = "flatline-portfolio"
ARTICLE: Final = "flatline-article"
COHORTS: Final = "flatline-cohorts"
SOURCES: Final = "flatline-sources"
PIPELINE: Final = "flatline-pipeline"
RUNBOOK: Final = "https://github.com/flatline-links/flatline/blob/main/deploy/RUNBOOK.md"

# Content is on all workers: of one that was looked at elsewhere it would show a part as if that were all.
_OF_CONTENT: Final = {PORTFOLIO: "Portfolio", ARTICLE: "Article", COHORTS: "Cohorts"}
_OF_PROCESSES: Final = {SOURCES: "Sources", PIPELINE: "Pipeline"}
_DATASOURCE: Final = "${datasource:queryparam}"
_TIME: Final = "${__url_time_range}"

_Link = Mapping[str, object]


def to_the_others(uid: str) -> list[dashboard.DashboardLink]:
    """Return the links of a dashboard to all others. Time and data source come along, what else is chosen to some."""
    return [
        dashboard.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .url(f"/d/{other}?{_DATASOURCE}" if other in _OF_CONTENT else f"/d/{other}")
        .icon("dashboard")
        .include_vars(other in _OF_PROCESSES)
        .keep_time(True)
        for other, title in (_OF_CONTENT | _OF_PROCESSES).items()
        if other != uid
    ]


def to_the_runbook() -> dashboard.DashboardLink:
    """Return the link to what to do about each alert."""
    return (
        dashboard.DashboardLink("Runbook")
        .type(DashboardLinkType.LINK)
        .url(RUNBOOK)
        .icon("doc")
        .target_blank(True)
        .tooltip("What each alert means and what to do about it")
    )


def of_article(value: str) -> list[_Link]:
    """Return the links of an article whose slug Grafana knows as ``value``: to its dashboard, and to itself."""
    return [
        {
            "title": "Dashboard of the article",
            "url": f"/d/{ARTICLE}?var-article=${{{value}:percentencode}}&{_DATASOURCE}&{_TIME}",
        },
        # The slug is an encoded address without its scheme: not to be encoded again.
        {"title": "Open the article", "url": f"https://${{{value}:raw}}", "targetBlank": True},
    ]


def of_source(value: str) -> list[_Link]:
    """Return the link of a source whose name Grafana knows as ``value``."""
    kept = f"{_DATASOURCE}&${{job:queryparam}}&${{instance:queryparam}}&{_TIME}"
    return [{"title": "Show only this source", "url": f"/d/{SOURCES}?var-source=${{{value}:percentencode}}&{kept}"}]
