"""What must come out: counted from the truth of the events in the topic, with nothing of the product's."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from tests.chaos.events import POISON, TRUTH
from tests.integration.reading import Stored


class Counts(NamedTuple):
    """What `flatline articles list` must say of an article."""

    gained_total: int
    lost_total: int
    live: int
    referring_domains: int
    last_gained_ms: int | None


@dataclass(frozen=True)
class Reference:
    """What must come out of the records of a topic.

    ``counts``    by article
    ``poison``    (partition, offset) -> the reason for which that record must be in the dead letters
    """

    counts: dict[str, Counts]
    poison: dict[tuple[int, int], str]


def reference(records: Iterable[Stored]) -> Reference:
    """Count what the records say, in whatever order and however often they come."""
    # article -> (page, domain) -> its changes: when, and whether it was a gain
    changes: dict[str, dict[tuple[str, str], set[tuple[int, bool]]]] = defaultdict(lambda: defaultdict(set))
    poison = {}
    for record in records:
        if POISON in record.headers:
            poison[record.partition, record.offset] = record.headers[POISON]
            continue
        event = orjson.loads(record.value or b"")
        truth = event[TRUTH]
        dated = event.get("occurred_at") or event.get("observed_at")
        at_ms = min(_ms(dated), record.timestamp_ms) if dated else record.timestamp_ms
        is_gain = event.get("change", "gained") == "gained"
        changes[truth["article"]][truth["page"], truth["domain"]].add((at_ms, is_gain))
    return Reference({article: _count(links) for article, links in changes.items()}, poison)


def _count(links: dict[tuple[str, str], set[tuple[int, bool]]]) -> Counts:
    ever_gained = {link: life for link, life in links.items() if any(is_gain for _, is_gain in life)}
    return Counts(
        gained_total=len(ever_gained),
        lost_total=sum(any(not is_gain for _, is_gain in life) for life in ever_gained.values()),
        live=sum(max(life)[1] for life in ever_gained.values()),  # at the same instant a gain is more than a loss
        referring_domains=len({domain for _, domain in ever_gained}),
        last_gained_ms=max(
            (min(at_ms for at_ms, is_gain in life if is_gain) for life in ever_gained.values()), default=None
        ),
    )


def _ms(instant: str) -> int:
    since = datetime.fromisoformat(instant) - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000
