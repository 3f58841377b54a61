"""Queries as the panels use them. Every selector keeps to the job and instance that are chosen above the dashboard."""

from typing import Final

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
CHOSEN: Final = 'job=~"$job", instance=~"$instance"'
# Of metrics that every exporter has: a Prometheus may scrape others than ours.
OURS: Final = 'job=~"flatline-.*"'


def series(metric: str, *matchers: str) -> str:
    """Return the selector of a metric, as `flatline_articles{job=…, instance=…, state="silent"}`."""
    return f"{metric}{{{', '.join((CHOSEN, *matchers))}}}"


# There while a worker answers: what it counts and has none of is 0 then, and unknown else.
WORKERS: Final = series("flatline_worker_stuck")


def over_time(metric: str, *matchers: str, function: str = "rate") -> str:
    """Return what a counter did per second (``increase``: did) in an interval as long as a point on the screen."""
    return f"{function}({series(metric, *matchers)}[$__rate_interval])"


def recorded(series_of_rule: str) -> str:
    """Return what a rule counted in 15 minutes: the most of it in an interval as long as a point on the screen.

    Unlike ``increase`` it has what a counter began with, so it shows what the alert saw. It knows no job or instance.
    """
    return f"max_over_time({series_of_rule}[$__rate_interval])"


def in_24_hours(series_of_rule: str) -> str:
    """Return how many of what a rule counts in 15 minutes there were in a day, as a whole number.

    Each is in the counts of 15 minutes, so it is added up 15 times; what has just happened is counted at once.
    """
    day = f"ceil(sum(sum_over_time({series_of_rule}[1d:1m])) / 15)"
    return f"clamp_min({day}, scalar(sum({series_of_rule}) or vector(0)))"


def or_zero(expr: str, witness: str) -> str:
    """Return 0 where there is nothing, but only while there is the ``witness``: who would have counted it."""
    return f"({expr}) or 0 * max({witness})"


def quantile(share: float, histogram: str) -> str:
    """Return the value below which a share of a histogram's observations lie, over all chosen processes."""
    return f"histogram_quantile({share}, sum by (le) ({over_time(f'{histogram}_bucket')}))"


def per_article(metric: str, *matchers: str) -> str:
    """Return a metric of the watch list by article: while an article moves, two workers may show it."""
    return f"max by (article) ({series(metric, *matchers)})"


def titled() -> str:
    """Return the watched articles with title and series; one without a title goes by its address."""
    info = "flatline_watched_article_info"
    untitled = f"""max by (article, series) ({series(info, 'title=""')})"""
    named = f'label_join({untitled}, "title", "", "article")'
    return f"""(max by (article, title, series) ({series(info, 'title!=""')}) or {named})"""


def per_group(metric: str, *matchers: str) -> str:
    """Return a metric of groups by kind and name."""
    return f"max by (kind, group) ({series(metric, *matchers)})"


def on_range(expr: str, legend: str) -> prometheus.Dataquery:
    """Return a query over the dashboard's time range."""
    return prometheus.Dataquery().datasource(DATASOURCE).expr(expr).legend_format(legend).range()


def at_end(expr: str, legend: str) -> prometheus.Dataquery:
    """Return a query at the end of the time range."""
    return prometheus.Dataquery().datasource(DATASOURCE).expr(expr).legend_format(legend).instant()


def rows(expr: str) -> prometheus.Dataquery:
    """Return a query at the end of the time range whose series become rows of a table."""
    return prometheus.Dataquery().datasource(DATASOURCE).expr(expr).format(PromQueryFormat.TABLE).instant()


def buckets(histogram: str) -> prometheus.Dataquery:
    """Return a query of a heatmap: the observations that fell into each bucket."""
    expr = f"sum by (le) ({over_time(f'{histogram}_bucket', function='increase')})"
    return on_range(expr, "{{le}}").format(PromQueryFormat.HEATMAP)
