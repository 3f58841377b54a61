"""Link events into articles."""

from functools import lru_cache
from typing import Final

from xxhash import xxh3_64_intdigest

from streams.agents.intake import Intake
from streams.domain.event_time import event_time
from streams.domain.link import rel_flags
from streams.domain.urls import article_key, canonicalize_field, referring_domain
from streams.engine.micro_batch import Record
from streams.engine.partition import Partition
from streams.schema import codec

_TARGETS_CACHED: Final = 16_384

# The same article is linked to many times; a referring page seldom links twice.
_target_key = lru_cache(_TARGETS_CACHED)(lambda url: article_key(url, field="url_to"))


class Accumulate(Intake):
    """Applies link records to their articles."""

    def _take(self, record: Record, partition: Partition, now_ms: int) -> None:
        event = codec.links.decode(record.value)
        key = _target_key(event.url_to)
        url_from = canonicalize_field(event.url_from, field="url_from")
        if key not in partition and self._is_misplaced(key, record):
            self._send_on(key, record)
            return
        when = event_time(event, recorded_ms=record.timestamp)
        article = partition.open(key, now_ms=now_ms)
        effect = article.see(
            url_from=xxh3_64_intdigest(url_from.encode()),
            domain=xxh3_64_intdigest(referring_domain(url_from).encode()),
            gained=event.change == "gained",
            at_ms=when.at_ms,
            organic=event.discovery == "link_found",
            rel=rel_flags(event.rel) if event.rel else 0,
            source=event.source,
        )
        if article.is_changed:
            partition.touch(key)
        self._metrics.count_event(event.source, effect)
        if when.is_clamped:
            self._metrics.event_time_clamped.inc()
