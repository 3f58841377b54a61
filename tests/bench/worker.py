"""A real `flatline worker`, seen from outside: its start, its memory, its time on the processor, its metrics."""

import os
import signal
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from prometheus_client.parser import text_string_to_metric_families

from flatline.core import Core
from flatline.domain.time import to_ms
from flatline.local import probes
from flatline.local.errors import LaunchError
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Child, Process
from flatline.schema.topics import Topic, Topics
from flatline.settings import Settings
from tests.scripts import FLATLINE
from tests.turning import running_clock

PARTITIONS: Final = 4
# What a worker's clock shows when the worker starts, so that verdicts say the same whenever the benchmark runs.
NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)

_READY_WITHIN_S: Final = 600
_ASK_EVERY_S: Final = 0.02
_TIMEOUT_S: Final = 60
_ENDED_WITHIN_S: Final = 60


def topics(namespace: str) -> Topics:
    """Return the topics of a worker of PARTITIONS partitions."""
    return Topics(namespace=namespace, partitions=PARTITIONS)


def record_count(bootstrap: str, topic: Topic) -> int:
    """Return how many records a topic has taken, whether or not it still has them."""
    ends = {TopicPartition(topic.name, number): OffsetSpec.LATEST for number in range(topic.partitions)}
    with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
        return sum(end.offset for end in admin.list_partition_offsets(ends).values())


class Worker:
    """A worker of ``namespace``: started with the block, ready when it begins, and gone when it ends.

    ``ready_at_s`` is when /readyz said 200, by the monotonic clock, and ``ready_after_s`` how long after the start of
    the process. The worker's own clock starts at ``now`` and runs ``clock_speed`` times as fast as the wall's.
    ``under`` is a command that runs the worker, such as a profiler; it ends by itself when the worker has ended.
    """

    def __init__(
        self,
        bootstrap: str,
        namespace: str,
        folder: Path,
        *,
        partitions: int = PARTITIONS,
        now: datetime = NOW,
        clock_speed: float = 1.0,
        under: Sequence[str] = (),
        core: Core = Core.AUTO,
    ) -> None:
        self.bootstrap = bootstrap
        self.namespace = namespace
        self.topics = Topics(namespace=namespace, partitions=partitions)
        port = Ports(folder / f"{namespace}.ports.json").claim("worker")
        self.address = f"{LOOPBACK}:{port}"
        settings = {
            "kafka_bootstrap": bootstrap,
            "namespace": namespace,
            "partitions": partitions,
            # It stands still while events are written, which a busy machine lets take long.
            "session_timeout_s": 600,
            "worker_port": port,
            "data_dir": folder,
            "clock_file": folder / f"{namespace}.clock",
            "clock_speed": clock_speed,
            "core": core,
        }
        self._clock = running_clock(folder / f"{namespace}.clock", from_ms=to_ms(now), speed=clock_speed)
        self._process = Process(
            namespace,
            [*under, FLATLINE, "worker"],
            self.address,
            is_ready=lambda: probes.answers_ok(self.address, "/readyz"),
            environment=Settings.model_validate(settings).environment(),
            ready_within_s=_READY_WITHIN_S,
        )
        self._is_under = bool(under)
        self._folder = folder
        self.ready_after_s = self.ready_at_s = 0.0

    def __enter__(self) -> Self:
        """Start it and wait until it is ready. Raises LaunchError."""
        self._clock.__enter__()
        self._child = Child(self._process, self._folder)
        try:
            while not self._child.serves():
                time.sleep(_ASK_EVERY_S)
        except BaseException:
            self._end()
            raise
        self.ready_at_s = time.monotonic()
        self.ready_after_s = self.ready_at_s - self._child.started_s
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        # Nothing of it is needed any more: with SIGTERM it would first write what it has.
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._child.wait_ended(time.monotonic() + _ENDED_WITHIN_S)
        self._clock.__exit__(None, None, None)

    def check_runs(self) -> None:
        """Raise LaunchError, with the end of its log, when it runs no more."""
        if end := self._child.end():
            raise LaunchError(f"The worker of {self.namespace} {end}.{self._child.last_lines()}")

    @property
    def pid(self) -> int:
        """Its process id."""
        pid = self._child.pid
        if not self._is_under:
            return pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else pid

    @property
    def cpu_s(self) -> float:
        """The processor time that it has used, on all cores."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        user, system = fields[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    @property
    def resident_bytes(self) -> int:
        """The memory that it holds."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def scrape(self) -> str:
        """Return what /metrics says."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=_TIMEOUT_S) as answer:
            return str(answer.read().decode())

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with at least these labels; 0 when there is none."""
        return sum(
            sample.value
            for family in text_string_to_metric_families(self.scrape())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )
