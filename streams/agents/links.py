"""Applies link events to their articles. Work that can be done once a batch is not done for each event."""

from collections import defaultdict
from collections.abc import Mapping, MutableMapping
from types import ModuleType

from flatline.agents.read_links import LinkRecords, ReadLinks
from flatline.agents.record_agent import RecordAgent
from flatline.domain.events.observation import ArticleKeys, observation_of
from flatline.domain.imports.moments import moment_of
from flatline.domain.policy.ignore import Ignored
from flatline.domain.state.article import LinkObservation
from flatline.domain.state.link import Effect
from flatline.domain.time import DAY_MS
from flatline.domain.visibility.source_history import source_report_of
from flatline.engine.log import MicroBatch, Record
from flatline.engine.partition import Partition
from flatline.metrics import WorkerMetrics
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Rejected
from flatline.schema.topics import Topics


class LinkAgent(RecordAgent):
    """Applies link records to their articles."""

    def __init__(
        self,
        *,
        topics: Topics,
        metrics: WorkerMetrics,
        ignored: Ignored | None = None,
        core: ModuleType | None = None,
    ) -> None:
        """Leave out the events that are ``ignored``. ``core``: the native one, which reads what it can."""
        super().__init__(topics=topics, metrics=metrics)
        self._ignored = ignored
        self._keys = ArticleKeys()
        self._records = LinkRecords(core, partitions=topics.links.partitions, ignored=ignored)

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch, article by article: what is known of one has to be fetched only once then."""
        decode, keys, ignored = codec.links.decode, self._keys, self._ignored
        effects: defaultdict[tuple[str | None, Effect], int] = defaultdict(int)
        said = ReadLinks()
        observations, clamped, recent, newest = said.observations, said.clamped, said.recent, said.newest
        for record in self._records.left_to_python(batch, said):
            try:
                event = decode(record.value)
                observation = observation_of(event, recorded_ms=record.timestamp, keys=keys, ignored=ignored)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)
                continue
            if isinstance(observation, LinkObservation):
                key = observation.article
                if key not in observations and self._sent_on(key, record, batch, partition):
                    continue
                observations[key].append(observation)
                if observation.is_clamped:
                    clamped[event.source] += 1
                elif (moment := moment_of(event, observation)) is not None:
                    recent.append((*moment, key, observation.page))
            else:
                effects[event.source, observation] += not self._unapplied_sent_on(event, record, batch, partition)
                if observation is Effect.IGNORED:
                    continue
            if record.timestamp >= said.day_ends_ms:  # a batch of days long gone may hold several
                _note_reports(newest, partition, now_ms=now_ms)
                said.day_ends_ms = record.timestamp // DAY_MS * DAY_MS + DAY_MS
            if event.discovery != "import":
                newest[event.source] = record
            else:
                said.labelling.add(event.source)
        _note_reports(newest, partition, now_ms=now_ms)
        _apply_all(observations, effects, partition, now_ms=now_ms)
        partition.recent_links.add(recent)
        partition.recent_links.note_labelling(said.labelling)
        self._metrics.count_events(effects)
        self._metrics.count_clamped(clamped)
        self._metrics.observe_latency([record.timestamp for record in batch.records[-1:]], now_ms=now_ms)

    def _unapplied_sent_on(self, event: LinkEvent, record: Record, batch: MicroBatch, partition: Partition) -> bool:
        """Send an ignored record on like any other: when it is ignored no longer, it is looked for where it belongs.

        The same goes for a suspicion.
        """
        try:
            return self._sent_on(self._keys[event.url_to], record, batch, partition)
        except Rejected:
            return False

    def _sent_on(self, key: bytes, record: Record, batch: MicroBatch, partition: Partition) -> bool:
        """Send a record on if its article belongs on another partition. One that is known here does not.

        But for a copy: what is known of an address that moved grows where that lies, and is copied from there.
        """
        known = partition.get(key)
        if (known is not None and not known.header.is_copy) or not self._belongs_elsewhere(key, batch):
            return False
        self._send_on(key, record, batch, partition)
        return True


def _apply_all(
    observations: Mapping[bytes, list[LinkObservation]],
    effects: MutableMapping[tuple[str | None, Effect], int],
    partition: Partition,
    *,
    now_ms: int,
) -> None:
    """Apply what was seen to the articles, and count what it did."""
    for key, seen in observations.items():
        article = partition.get(key) or partition.create(key, now_ms=now_ms)
        if article.apply(seen, effects):
            partition.touch(article)


def _note_reports(newest: dict[str | None, Record], partition: Partition, *, now_ms: int) -> None:
    """Add the reports of named sources to their histories, and clear ``newest``."""
    for source, record in newest.items():
        known = None if source is None else partition.source_history(source)
        if source is None or known is None:
            continue
        report = source_report_of(codec.links.decode(record.value), recorded_ms=record.timestamp, now_ms=now_ms)
        if report and known.observe(report, offset=record.offset):
            partition.note_source_changed(source)
    newest.clear()
