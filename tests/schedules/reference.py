"""What must come out of a log: counted from the truth of its records, with nothing of the product's."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tests.broker.partition_log import Stored
from tests.schedules.events import ARTICLES, Link, Poison, Registration, domain_of, truth_of


class Told(NamedTuple):
    """What the newest verdict on an article must say."""

    gained: int
    lost: int
    live: int
    referring_domains: int
    first_gained_ms: int | None
    last_gained_ms: int | None
    title: str | None


class Letter(NamedTuple):
    """A record that must be in the dead letters, once."""

    topic: str
    partition: int
    offset: int
    reason: str
    value: bytes


class Reference(NamedTuple):
    """By article what its verdict must say, and the dead letters."""

    told: dict[str, Told]
    letters: Counter[Letter]


def reference(records: Iterable[tuple[str, int, Stored]]) -> Reference:
    """Count what records say, given by topic and partition, in whatever order and however often they come."""
    changes: dict[int, dict[int, set[tuple[int, bool]]]] = defaultdict(lambda: defaultdict(set))
    titles: dict[int, tuple[int, str]] = {}
    letters: Counter[Letter] = Counter()
    for topic, partition, record in records:
        truth = truth_of(record)
        if isinstance(truth, Poison):
            letters[Letter(topic, partition, record.offset, truth.reason, record.value or b"")] += 1
        elif isinstance(truth, Registration):
            newest = (record.timestamp, truth.title)
            titles[truth.article] = max(newest, titles.get(truth.article, newest))
        elif isinstance(truth, Link):
            at_ms = min(truth.at_ms, record.timestamp)
            changes[truth.article][truth.page].add((at_ms, truth.is_gain))
    known = changes.keys() | titles.keys()
    return Reference(
        {ARTICLES[number]: _told(changes[number], titles.get(number, (0, ""))[1] or None) for number in known}, letters
    )


def _told(pages: dict[int, set[tuple[int, bool]]], title: str | None) -> Told:
    gained = {page: life for page, life in pages.items() if any(is_gain for _, is_gain in life)}
    first = [min(at_ms for at_ms, is_gain in life if is_gain) for life in gained.values()]
    return Told(
        gained=len(gained),
        lost=sum(any(not is_gain for _, is_gain in life) for life in gained.values()),
        live=sum(max(life)[1] for life in gained.values()),  # at the same instant a gain is more than a loss
        referring_domains=len({domain_of(page) for page in gained}),
        first_gained_ms=min(first, default=None),
        last_gained_ms=max(first, default=None),
        title=title,
    )
