"""Recognises imports without a label. Their links are spread over partitions, so these count together.

A partition publishes what it counts of a moment once that is so much that all of them together may make an import, or
once another one has done so. Whatever their number, if the links of an import are enough, one partition has its share
of them. So the many moments with a link or two never leave their partition. Every worker adds up the parts, and the
partition to which a moment belongs by its key announces that it is an import.
"""

import logging
from collections.abc import Iterator
from math import ceil
from typing import Final

from flatline.domain.imports.counts import LINKS_MIN, ImportCounts, part_of, recognised_import
from flatline.domain.imports.imports import Imports, key_of_import
from flatline.domain.imports.moments import Moment
from flatline.engine.log import Outgoing
from flatline.engine.task import Task
from flatline.metrics import WorkerMetrics
from flatline.schema import codec
from flatline.schema.partitioning import partition_of
from flatline.schema.recognised_import import LabellingSource
from flatline.schema.topics import Topics

_LINKS_PUBLISHED_MIN: Final = 2
"""Of a moment, however many partitions there are: hardly ever do the links of an import all lie on different ones."""

log = logging.getLogger("flatline.agents")


class ImportRecogniser:
    """Has published what tasks count, and has articles judged again whose links turn out to be imported.

    ``counts``   adds up what all partitions published
    ``imports``  what was recognised
    """

    def __init__(self, *, topics: Topics, counts: ImportCounts, imports: Imports, metrics: WorkerMetrics) -> None:
        self._topics = topics
        self._counts = counts
        self._imports = imports
        self._metrics = metrics
        self._links_min = max(_LINKS_PUBLISHED_MIN, ceil(LINKS_MIN / topics.links.partitions))

    def advance(self, task: Task) -> None:
        """Have said what is new of a task, and judged what is new for it."""
        task.unpublished += self._labels(task)
        task.unpublished += self._parts(task)
        task.unpublished += self._announcements(task)
        self._judge_again(task)

    def _labels(self, task: Task) -> Iterator[Outgoing]:
        for source in task.articles.recent_links.take_labelling():
            if source not in self._imports.labelling:
                record = codec.labelling_sources.encode(LabellingSource(source))
                yield Outgoing(self._topics.imports.name, 0, source.encode(), record)

    def _parts(self, task: Task) -> Iterator[Outgoing]:
        recent, counts, seen = task.articles.recent_links, self._counts, task.imports
        grown = recent.take_grown()
        asked = counts.among(grown) | {moment for moment in counts.since(seen.counted) if moment in recent}
        seen.counted = counts.newest
        moments = asked | {moment for moment in grown if len(recent.links(moment)) >= self._links_min}
        for moment in moments:
            if self._is_open(moment) and recent.grown(moment, links_min=1):
                part = part_of(moment, [(article, page) for *_, article, page in recent.links(moment)])
                counts.receive(part)
                record = codec.import_parts.encode(part)
                yield Outgoing(self._topics.import_parts.name, 0, key_of_import(moment), record)

    def _announcements(self, task: Task) -> Iterator[Outgoing]:
        recognised, announced = self._counts.recognised, task.imports.announced
        for moment in [moment for moment in recognised if not self._is_open(moment)]:
            del recognised[moment]
        announced &= recognised.keys()
        for moment, count in recognised.items():
            key = key_of_import(moment)
            if moment not in announced and partition_of(key, self._topics.links.partitions) == task.number:
                announced.add(moment)
                self._metrics.imports_recognised.inc()
                record = recognised_import(moment, count)
                log.info("recognised an import without a label: links of %s at %s", record.source, record.occurred_at)
                yield Outgoing(self._topics.imports.name, 0, key, codec.imports.encode(record))

    def _is_open(self, moment: Moment) -> bool:
        """Whether it is still to be found out whether a moment is an import."""
        return moment not in self._imports and moment[0] not in self._imports.labelling

    def _judge_again(self, task: Task) -> None:
        for moment in task.imports.judged.new_in(self._imports.log):
            keys = task.articles.recent_links.articles(moment)
            task.due.link_values.forget(keys)
            task.due.put(keys)
