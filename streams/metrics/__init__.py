"""All metrics of the worker, on a registry that is passed in. Series are bounded: the limits are in `limits`.

All of them, with what to make of them: deploy/prometheus/METRICS.md.
"""

from flatline.metrics.counters import WorkerMetrics
from flatline.metrics.gauges import Gauges
from flatline.metrics.snapshot import Snapshot

__all__ = ["Gauges", "Snapshot", "WorkerMetrics"]
