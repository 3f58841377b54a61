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
OF_CONTENT: Final = {PORTFOLIO: "Portfolio", ARTICLE: "Article", COHORTS: "Cohorts"}
_OF_PROCESSES: Final = {SOURCES: "Sources", PIPELINE: "Pipeline"}
_DATASOURCE: Final = "${datasource:queryparam}"
_TIME: Final = "${__url_time_range}"

Link = Mapping[str, object]


def to_the_others(uid: str) -> list[dashboard.DashboardLink]:
    """Return the links of a dashboard to all others. Time and data source come along, what else is chosen to some."""
    return [
        dashboard.DashboardLink(title)
        .type(DashboardLinkType.LINK)
        .url(f"/d/{other}?{_DATASOURCE}" if other in OF_CONTENT else f"/d/{other}")
        .icon("dashboard")
        .include_vars(other in _OF_PROCESSES)
        .keep_time(True)
        for other, title in (OF_CONTENT | _OF_PROCESSES).items()
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


def to_dashboard(uid: str, title: str, *, panel_id: int | None = None) -> Link:
    """Return a link from a figure to a dashboard, or to one panel of it, over the same time."""
    panel = "" if panel_id is None else f"&viewPanel={panel_id}"
    return {"title": title, "url": f"/d/{uid}?{_DATASOURCE}&{_TIME}{panel}"}


def to_article_dashboard(value: str) -> Link:
    """Return the link to the dashboard of an article whose slug Grafana knows as ``value``."""
    url = f"/d/{ARTICLE}?var-article=${{{value}:percentencode}}&{_DATASOURCE}&{_TIME}"
    return {"title": "Open the article's dashboard", "url": url}


def to_article_page(value: str) -> Link:
    """Return the link to the page of an article whose slug Grafana knows as ``value``."""
    # The slug is an encoded address without its scheme: not to be encoded again.
    return {"title": "Open the article", "url": f"https://${{{value}:raw}}", "targetBlank": True}


def to_alert_in_runbook(anchor: str) -> Link:
    """Return the link to what the runbook says of an alert, of which ``anchor`` is its heading there."""
    return {"title": "Open the runbook", "url": f"{RUNBOOK}#{anchor}", "targetBlank": True}


def to_source(value: str) -> Link:
    """Return the link to one source, whose name Grafana knows as ``value``."""
    kept = f"{_DATASOURCE}&${{job:queryparam}}&${{instance:queryparam}}&{_TIME}"
    return {"title": "Show this source alone", "url": f"/d/{SOURCES}?var-source=${{{value}:percentencode}}&{kept}"}
