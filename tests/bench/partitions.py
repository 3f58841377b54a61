"""What a partition without records costs a worker: two empty installations, with few partitions and with many."""

import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from tests.bench.part import run, setting
from tests.bench.worker import Worker

FEW: Final = 8
MANY: Final = 264
IDLE_S: Final = 30


class _Cost(NamedTuple):
    """Of a worker: the time to its first readiness, which creates the topics; then at rest."""

    ready_s: float
    resident_bytes: float
    cpu_s: float


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Return what each further partition adds."""
    few, many = setting("PARTITIONS_FEW", FEW), setting("PARTITIONS_MANY", MANY)
    idle_s = setting("PARTITIONS_IDLE_S", IDLE_S)
    before, after = (_cost(bootstrap, folder, partitions, idle_s=idle_s) for partitions in (few, many))
    cost = _Cost(*((more - less) / (many - few) for less, more in zip(before, after, strict=True)))
    return {
        "partition_ready_ms": cost.ready_s * 1_000,
        "partition_resident_bytes": cost.resident_bytes,
        "partition_idle_cpu_ms_per_s": cost.cpu_s / idle_s * 1_000,
    }


def _cost(bootstrap: str, folder: Path, partitions: int, *, idle_s: float) -> _Cost:
    with Worker(bootstrap, f"partitions-{partitions}", folder, partitions=partitions) as worker:
        begun_s = worker.cpu_s
        time.sleep(idle_s)
        worker.check_runs()
        return _Cost(worker.ready_after_s, worker.resident_bytes, worker.cpu_s - begun_s)


if __name__ == "__main__":
    sys.exit(run(measure))
