from http.client import HTTPException
from typing import Final, NamedTuple, Self

from prometheus_client.parser import text_string_to_metric_families

from flatline.demo.http_client import get
from flatline.domain.time import DAY_MS
from flatline.schema.verdict import State

_DAY_S = DAY_MS / 1000
_ARTICLES: Final = "flatline_articles"
_UNSEEN: Final = "flatline_watched_article_unseen"
_STALENESS: Final = "flatline_source_staleness_seconds"
_STALE: Final = "flatline_source_stale"
# A worker exposes thousands of samples, and each of them takes time to parse: only these are.
_READ: Final = tuple(f"{name}{{" for name in (_ARTICLES, _UNSEEN, _STALENESS, _STALE))


class WorkerGauges(NamedTuple):
    """The metrics of a worker on articles and sources."""

    articles: dict[State, int]
    unseen: int
    stale_days: dict[str, float]  # only of sources that are stale

    @classmethod
    def of(cls, address: str) -> Self | None:
        """Ask the worker at ``host:port``; None if it does not answer."""
        try:
            lines = get(address, "/metrics").split("\n")
        except (OSError, HTTPException):
            return None
        samples: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families("\n".join(line for line in lines if line.startswith(_READ))):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append((sample.labels, sample.value))
        staleness = {labels["source"]: value for labels, value in samples.get(_STALENESS, [])}
        return cls(
            articles={State(labels["state"]): int(value) for labels, value in samples.get(_ARTICLES, [])},
            unseen=sum(int(value) for _, value in samples.get(_UNSEEN, [])),
            stale_days={
                labels["source"]: staleness.get(labels["source"], 0) / _DAY_S
                for labels, value in samples.get(_STALE, [])
                if value
            },
        )
