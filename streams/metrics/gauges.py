from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.registry import Collector

from flatline.metrics.articles import article_families
from flatline.metrics.groups import cohort_families, group_families
from flatline.metrics.snapshot import Snapshot
from flatline.metrics.sources import source_families
from flatline.metrics.watch_list import watch_list_families
from flatline.metrics.worker import worker_families


class Gauges(Collector):
    """Gauges computed when they are scraped, so that nothing that is gone is shown."""

    def __init__(self, take_snapshot: Callable[[], Snapshot]) -> None:
        self._take_snapshot = take_snapshot

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering takes no snapshot."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield all gauges from one snapshot."""
        snapshot = self._take_snapshot()
        yield from article_families(snapshot)
        yield from watch_list_families(snapshot)
        yield from group_families(snapshot)
        yield from cohort_families(snapshot)
        yield from source_families(snapshot)
        yield from worker_families(snapshot)
