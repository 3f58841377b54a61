"""Applies visits records to their articles."""

from collections import defaultdict

from flatline.agents.record_agent import RecordAgent
from flatline.domain.state.visits import DayOfVisits, day_of_visits
from flatline.domain.urls.canonical import article_key
from flatline.engine.log import MicroBatch, Record
from flatline.engine.partition import Partition
from flatline.schema import codec
from flatline.schema.rejection import Rejected


class VisitsAgent(RecordAgent):
    """Applies visits records to their articles."""

    def apply(self, batch: MicroBatch, partition: Partition, *, now_ms: int) -> None:
        """Apply every record of a batch, article by article: a year of visits has to be unpacked only once then."""
        reports: defaultdict[bytes, list[DayOfVisits]] = defaultdict(list)
        for record in batch.records:
            try:
                self._take(record, batch, partition, reports)
            except Rejected as rejected:
                self._reject(rejected, record, batch, partition)
        for key, reported in reports.items():
            article = partition.get(key) or partition.create(key, now_ms=now_ms)
            if article.apply_visits(reported):
                partition.touch(article)

    def _take(
        self, record: Record, batch: MicroBatch, partition: Partition, reports: defaultdict[bytes, list[DayOfVisits]]
    ) -> None:
        visits = codec.visits.decode(record.value)
        key, report = article_key(visits.url, field="url"), day_of_visits(visits, recorded_ms=record.timestamp)
        if self._belongs_elsewhere(key, batch):
            self._send_on(key, record, batch, partition)
        else:
            reports[key].append(report)
