"""Articles as a worker would have written them into its changelog, many in little time.

Prototypes are made by the domain's own code, one of each kind. An article is a copy of one
of them under a key of its own: the same links, but the state under a key of 60 bytes is no smaller for that.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cache
from math import exp, log10, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

from flatline.domain.state import link
from flatline.domain.state.article import LinkObservation, registration_of
from flatline.domain.time import DAY_MS, day_of, to_ms
from flatline.domain.urls.fingerprints import DOMAIN_BYTES, PAGE_BYTES
from flatline.domain.visibility.source_history import DAYS_REMEMBERED, SourceReport
from flatline.engine.partition import Partition
from flatline.schema.article_record import ArticleRecord
from tests.bench.worker import NOW

_SEED: Final = 20_260_101
# Link counts are lognormal: with a mean of 20 the median is 6, and one article of 2,000 has over 1,000.
_SIGMA: Final = 1.5
_GOLDEN: Final = (sqrt(5) - 1) / 2
_DIGITS: Final = 2
_LINK_AGE_DAYS: Final = 500  # on average; the oldest ones are some ten years old
_IMPORTED: Final = 0.1
_NOFOLLOW: Final = 0.3
_LINKS_A_DOMAIN: Final = 1.3
_SERIES: Final = 20


class Kind(NamedTuple):
    """What the state of an article is made from: how many links it has, who reported them, and whether it is known."""

    links: int
    source: str
    is_registered: bool = False


def article_key(number: int) -> bytes:
    """Return the key of an article: a canonical URL."""
    return b"https://blog.example.com/articles/%d/thought-leadership" % number


def link_count(number: int, *, mean: float) -> int:
    """Return how many links an article has: few or many in no order, and any run of numbers has about the same mean.

    Rounded to two digits, so that few counts occur, and at least 1.
    """
    # Multiples of the golden ratio lie evenly in [0, 1), however many of them one takes.
    share = (number + 0.5) * _GOLDEN % 1
    exact = mean * exp(NormalDist(sigma=_SIGMA).inv_cdf(share) - _SIGMA**2 / 2)
    step: int = 10 ** max(0, int(log10(max(exact, 1))) + 1 - _DIGITS)
    return max(1, round(exact / step) * step)


def article_records(number: int, kind: Kind) -> Iterator[tuple[bytes, bytes]]:
    """Yield the changelog records of an article: (key, value)."""
    key = article_key(number)
    return ((key + suffix, value) for suffix, value in _prototype(kind))


def source_records(names: Iterable[str]) -> Iterator[tuple[bytes, bytes]]:
    """Yield the changelog records of sources that have reported every day of late: (key, value)."""
    partition, today = Partition(), day_of(to_ms(NOW))
    for name in names:
        history = partition.source_history(name)
        assert history is not None, "there may be no more sources than a partition remembers"
        for age_days in reversed(range(DAYS_REMEMBERED)):
            seen_ms = (today - age_days) * DAY_MS
            history.observe(
                SourceReport(article=age_days, seen_ms=seen_ms, lag_ms=0), offset=DAYS_REMEMBERED - age_days
            )
        partition.note_source_changed(name)
    return partition.take_changes()


@cache
def _prototype(kind: Kind) -> list[tuple[bytes, bytes]]:
    """Return the records of an article, and of each key what follows on the article's own."""
    links, source, is_registered = kind
    chance = random.Random(f"{_SEED}{kind}")
    key, now_ms = article_key(0), to_ms(NOW)
    partition = Partition()
    article = partition.create(key, now_ms=to_ms(NOW - timedelta(days=400)))
    domains = [chance.randbytes(DOMAIN_BYTES) for _ in range(max(1, int(links / _LINKS_A_DOMAIN)))]
    observations: list[LinkObservation] = []
    for _ in range(links):
        age_ms = int(min(chance.expovariate(1 / _LINK_AGE_DAYS), 10 * _LINK_AGE_DAYS) * DAY_MS)
        flags = link.ORGANIC if chance.random() >= _IMPORTED else 0
        page, domain = chance.randbytes(PAGE_BYTES), chance.choice(domains)
        observations.append(LinkObservation(key, page, domain, True, now_ms - age_ms, flags, source))
    article.apply(observations, Counter())
    if is_registered:
        record = ArticleRecord(
            key.decode(),
            title="Thought leadership",
            series=f"Series {chance.randrange(_SERIES)}",
            tier=chance.choice((1, 2, 3)),
        )
        article.header.registration = registration_of(record, recorded_ms=now_ms)
    return [(written.removeprefix(key), value) for written, value in partition.take_changes()]
