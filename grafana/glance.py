"""Figures of the first row that several dashboards share: nothing is well while nobody looks."""

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from grafana.colours import BAD, DOUBTFUL, GOOD, Limit, thresholds
from grafana.links import PIPELINE, SOURCES, to_dashboard
from grafana.panels import figure
from grafana.queries import OURS, WORKERS, at_end, or_zero, per_article, series

_WORKERS_UP = series("up", OURS, 'job="flatline-worker"')


def workers_up(panel_id: int, *, width: int = 4) -> stat.Panel:
    """Return how many workers Prometheus reaches."""
    return figure(
        panel_id,
        "Workers up",
        "Workers that answer Prometheus. If none does, nothing else here is known. Click for the pipeline.",
        at_end(f"sum({_WORKERS_UP})", "up"),
        at_end(f"sum(1 - {_WORKERS_UP})", "down"),
        width=width,
        limits=[Limit(0, BAD), Limit(1, GOOD)],
        links=[to_dashboard(PIPELINE, "Show the pipeline")],
    ).override_by_name("down", [DynamicConfigValue("thresholds", thresholds(Limit(1, BAD)).build())])


def stale_sources(panel_id: int) -> stat.Panel:
    """Return how many sources are stale."""
    stale = f"sum(min by (source) ({series('flatline_source_stale')}))"
    return figure(
        panel_id,
        "Stale sources",
        "Sources that were not heard for longer than their limit. Days that they did not see count for no silence. "
        "Click for the sources.",
        at_end(or_zero(stale, WORKERS), "sources"),
        limits=[Limit(1, BAD)],
        links=[to_dashboard(SOURCES, "Show the sources")],
    )


def articles_unseen(panel_id: int) -> stat.Panel:
    """Return how many watched articles can't be seen."""
    unseen = f"sum({per_article('flatline_watched_article_unseen')})"
    return figure(
        panel_id,
        "Articles unseen",
        "Watched articles that none of their usual sources can see, or of which nothing worse is said because of "
        "that. Click for the sources.",
        at_end(or_zero(unseen, WORKERS), "articles"),
        limits=[Limit(1, DOUBTFUL)],
        links=[to_dashboard(SOURCES, "Show the sources")],
    )
