"""What is chosen above the panels."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import VariableHide, VariableOption, VariableRefresh, VariableSort

from grafana.queries import DATASOURCE, series

_ALL: Final = VariableOption(selected=True, text=["All"], value=["$__all"])


def shared(*, is_of_content: bool) -> list[dashboard.DatasourceVariable | dashboard.QueryVariable]:
    """Return the variables that every dashboard has. Content is on all workers: there job and instance are hidden."""
    datasource = dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
    job = _several("job", "Job", "label_values(flatline_build_info, job)")
    instance = _several("instance", "Instance", 'label_values(flatline_build_info{job=~"$job"}, instance)')
    if is_of_content:
        job.hide(VariableHide.HIDE_VARIABLE)
        instance.hide(VariableHide.HIDE_VARIABLE)
    return [datasource, job, instance]


def article() -> dashboard.QueryVariable:
    """Return the choice of one article of the watch list."""
    return _query("article", "Article", f"label_values({series('flatline_watched_article_info')}, article)")


def article_title() -> dashboard.QueryVariable:
    """Return the title of the chosen article, for headings. Nobody chooses it."""
    of_article = series("flatline_watched_article_info", "article=`${article:raw}`")
    return _query("title", "Title", f"label_values({of_article}, title)").hide(VariableHide.HIDE_VARIABLE)


def source() -> dashboard.QueryVariable:
    """Return the choice of sources."""
    return _several("source", "Source", f"label_values({series('flatline_source_stale')}, source)")


def kind() -> dashboard.QueryVariable:
    """Return the choice of kinds of groups."""
    return _several("kind", "Kind of group", f"label_values({series('flatline_group_state')}, kind)")


def _several(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return _query(name, label, query).multi(True).include_all(True).all_value(".+").current(_ALL)


def _query(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
