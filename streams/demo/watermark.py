"""How far an installation has processed what was played: applied, judged and scraped, evaluated by the rules."""

import http.client
import time
import urllib.parse
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

import orjson
from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError
from prometheus_client.parser import text_string_to_metric_families

from flatline.demo.http_client import get
from flatline.local.prometheus import INTERVAL_FLOOR_MS
from flatline.settings import Settings

Offsets = Mapping[TopicPartition, int]

_JUDGED_UNTIL: Final = "flatline_judged_until_timestamp_seconds"
_STALENESS: Final = "flatline_source_staleness_seconds"
_EVALUATION: Final = "prometheus_rule_group_last_evaluation_timestamp_seconds"
# Of the three after which a source is stale. What a heartbeat needs on its way, and the clock's lead, have to fit in.
_PERIODS_BEHIND_MAX: Final = 1.5


class Mark(NamedTuple):
    """An instant of the clock, and what had been sent by then.

    ``sent_ms``  the instant up to which events were sent; it may be ahead of the clock
    ``ends``     the end offsets of links, articles and visits
    ``alive``    the sources whose heartbeat was sent
    """

    at_ms: int
    sent_ms: int
    ends: Offsets
    alive: frozenset[str]


class Stage(Protocol):
    """A stage of the pipeline. Marks pass all stages in the same order."""

    waits_for: str

    def look(self) -> None:
        """Query the current status. Raise OSError, KafkaError or ValueError if that fails."""

    def has_passed(self, mark: Mark, entered_s: float) -> bool:
        """Whether the last look shows that a mark has passed. It entered at ``entered_s`` of the wall clock."""


class Watermark:
    """Follows marks through the stages.

    ``passed``  the last mark that has passed each stage
    """

    def __init__(self, stages: Sequence[Stage], beginning: Mark) -> None:
        """``beginning`` counts as having passed all stages."""
        self.passed = [beginning for _ in stages]
        self._stages = stages
        self._waiting: list[deque[tuple[Mark, float]]] = [deque() for _ in stages]

    @property
    def waits_for(self) -> str:
        """What the oldest mark on its way waits for, in words."""
        waiting = [stage.waits_for for stage, marks in zip(self._stages, self._waiting, strict=True) if marks]
        return waiting[-1] if waiting else "nothing"

    def add(self, mark: Mark) -> None:
        """Follow a mark that is later than all earlier ones."""
        self._waiting[0].append((mark, time.time()))

    def advance(self) -> None:
        """Query all stages and move the marks on."""
        for number, (stage, marks) in enumerate(zip(self._stages, self._waiting, strict=True)):
            if not marks:
                continue
            try:
                stage.look()
            except (OSError, http.client.HTTPException, KafkaError, ValueError):
                continue  # it is asked again
            looked_s = time.time()
            while marks and stage.has_passed(*marks[0]):
                mark, _ = marks.popleft()
                self.passed[number] = mark
                if number + 1 < len(self._stages):
                    self._waiting[number + 1].append((mark, looked_s))


class Applied:
    """Passed when workers have committed everything that was sent. It also makes the marks."""

    waits_for = "the workers"

    def __init__(self, settings: Settings) -> None:
        self._group = settings.namespace
        self._admin = settings.cluster.admin()
        topics = settings.topics
        self._partitions = [
            TopicPartition(topic.name, number)
            for topic in (topics.links, topics.articles, topics.visits)
            for number in range(topic.partitions)
        ]
        self._committed: Offsets = {}

    def close(self) -> None:
        """Close the connection to Kafka."""
        self._admin.close()

    def mark(self, at_ms: int, *, sent_ms: int, alive: Collection[str]) -> Mark:
        """Return a mark for this instant, with the current end offsets. Raise KafkaError."""
        ends = self._admin.list_partition_offsets(dict.fromkeys(self._partitions, OffsetSpec.LATEST))
        return Mark(at_ms, sent_ms, {tp: end.offset for tp, end in ends.items()}, frozenset(alive))

    def look(self) -> None:
        """Ask Kafka for the offsets that the workers have committed."""
        committed = self._admin.list_group_offsets({self._group: None})[self._group]
        self._committed = {tp: each.offset for tp, each in committed.items()}

    def has_passed(self, mark: Mark, entered_s: float) -> bool:  # noqa: ARG002
        """Whether all of it is committed. The next stage checks that it is judged, too."""
        return all(self._committed.get(tp, 0) >= end for tp, end in mark.ends.items())


class Scraped:
    """Passed when Prometheus has scraped each worker again, and it had judged everything and heard all live sources."""

    waits_for = "Prometheus' scrapes of the workers"

    def __init__(self, prometheus: str, workers: Collection[str], *, period_s: float) -> None:
        """``prometheus`` and ``workers`` are host:port; ``period_s`` is the period of the sources."""
        query = urllib.parse.urlencode({"query": f'{{__name__=~"{_JUDGED_UNTIL}|{_STALENESS}"}}[1m]'})
        self._prometheus, self._path = prometheus, f"/api/v1/query?{query}"
        self._workers = workers
        self._behind_max_s = _PERIODS_BEHIND_MAX * period_s
        self._judged: Mapping[str, tuple[float, float]] = {}
        self._behind: Mapping[str, Mapping[str, tuple[float, float]]] = {}

    def look(self) -> None:
        """Ask Prometheus for the newest samples and when they were scraped."""
        judged: dict[str, tuple[float, float]] = {}
        behind: defaultdict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
        for series in orjson.loads(get(self._prometheus, self._path))["data"]["result"]:
            labels, (scraped_s, value) = series["metric"], series["values"][-1]
            sample = float(scraped_s), float(value)
            if labels["__name__"] == _JUDGED_UNTIL:
                judged[labels["instance"]] = sample
            else:
                behind[labels["instance"]][labels["source"]] = sample
        self._judged, self._behind = judged, behind

    def has_passed(self, mark: Mark, entered_s: float) -> bool:
        """Whether samples from after the previous stage show it."""
        never = (0.0, 0.0)
        for worker in self._workers:
            scraped_s, judged_s = self._judged.get(worker, never)
            if scraped_s < entered_s or judged_s * 1000 < mark.at_ms:
                return False
            behind = self._behind.get(worker, {})
            for source in mark.alive:
                scraped_s, behind_s = behind.get(source, never)
                if scraped_s < entered_s or behind_s > self._behind_max_s:
                    return False
        return True


class Evaluated:
    """Passed when Prometheus has evaluated all its rules again."""

    waits_for = "Prometheus' rules"

    def __init__(self, prometheus: str) -> None:
        """``prometheus`` is host:port."""
        self._prometheus = prometheus
        self._oldest_s = 0.0

    def look(self) -> None:
        """Ask Prometheus when the last complete evaluation of each rule group began."""
        lines = get(self._prometheus, "/metrics").splitlines()
        exposition = "\n".join(line for line in lines if line.startswith(_EVALUATION))
        samples = [each.value for family in text_string_to_metric_families(exposition) for each in family.samples]
        self._oldest_s = min(samples, default=0.0)

    def has_passed(self, mark: Mark, entered_s: float) -> bool:  # noqa: ARG002
        """Whether each began late enough. An evaluation looks at an instant up to one interval before its beginning."""
        return self._oldest_s >= entered_s + INTERVAL_FLOOR_MS / 1000
