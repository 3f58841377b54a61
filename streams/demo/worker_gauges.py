from http.client import HTTPException
from typing import NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

from flatline.demo.http_client import get
from flatline.domain.time import DAY_MS
from flatline.schema.verdict import State

_DAY_S = DAY_MS / 1000


class WorkerGauges(NamedTuple):
    """What a worker's /metrics say of articles and sources."""

    articles: dict[State, int]
    unseen: int
    stale_days: dict[str, float]  # only of sources that are stale

    @classmethod
    def of(cls, address: str) -> Self | None:
        """Ask the worker at ``host:port``; None when it doesn't answer."""
        try:
            exposition = get(address, "/metrics")
        except (OSError, HTTPException):
            return None
        samples = {
            family.name: [(sample.labels, sample.value) for sample in family.samples]
            for family in text_string_to_metric_families(exposition)
        }
        staleness = {labels["source"]: value for labels, value in samples.get("flatline_source_staleness_seconds", [])}
        return cls(
            articles={State(labels["state"]): int(value) for labels, value in samples.get("flatline_articles", [])},
            unseen=sum(int(value) for _, value in samples.get("flatline_watched_article_unseen", [])),
            stale_days={
                labels["source"]: staleness.get(labels["source"], 0) / _DAY_S
                for labels, value in samples.get("flatline_source_stale", [])
                if value
            },
        )
