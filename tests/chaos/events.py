"""Link events for the tests of faults: in every spelling, disorder and degree of nonsense, each with its truth.

The truth stands in a field that the contract does not know: which article, page and domain an event was made from.
"""

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

import flatline.schema
from flatline.engine.log import Outgoing
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics

TRUTH: Final = "truth"
POISON: Final = "poison"  # the header that holds the reason for which a record must be dead-lettered

MINUTE_MS: Final = 60_000
DAY_MS: Final = 86_400_000
DOMAINS: Final = 997
RECENT_MAX: Final = 2_000

_REJECTED = Path(flatline.schema.__file__).parent / "examples" / "link_event" / "rejected"

# (host, registrable domain) of domain number n
_HOSTS: tuple[Callable[[int], tuple[str, str]], ...] = (
    lambda n: (f"site{n}.com", f"site{n}.com"),
    lambda n: (f"blog.site{n}.com", f"site{n}.com"),
    lambda n: (f"news{n}.co.uk", f"news{n}.co.uk"),
    lambda n: (f"user{n}.github.io", f"user{n}.github.io"),
)

_SPELLINGS: tuple[Callable[[str, str], str], ...] = (
    lambda host, path: f"https://{host}{path}",
    lambda host, path: f"http://{host}{path}/",
    lambda host, path: f"https://www.{host}{path}?utm_source=x&utm_medium=y",
    lambda host, path: f"HTTPS://{host.upper()}:443{path}#comments",
    lambda host, path: f"http://{host}:80/a/..{path}/index.html",
    lambda host, path: f"https://{host}{path.replace('-', '%2D')}?fbclid=abc",
)

_ABSURD: Final = (
    "1991-08-06T00:00:00Z",
    "1991-08-05T23:59:59.999-12:00",
    "9999-12-31T23:59:59.999Z",
    "9999-12-31T23:59:59-12:00",
)


@dataclass(frozen=True)
class Shares:
    """Which share of the events is odd, and how."""

    repeated: float = 0.1  # the same record once more
    lost: float = 0.25
    known: float = 0.4  # of a page that has been told of
    coarse: float = 0.2  # dated to the day, so that a link is often gained and lost at the same instant
    undated: float = 0.02
    absurd: float = 0.01
    skewed: float = 0.1  # recorded by a producer whose clock is wrong by up to a day
    misplaced: float = 0.02  # on any partition, with any key
    poison: float = 0.01
    noise: float = 0.3  # of the poison: random bytes


class Events:
    """An endless stream of records for the topic of links. The same seed makes the same records, but for their dates.

    ``pages_max``   how many pages link to an article in the end; None: ever more
    """

    def __init__(
        self,
        topics: Topics,
        *,
        seed: int,
        articles: int = 2_000,
        pages_max: int | None = None,
        shares: Shares | None = None,
    ) -> None:
        self.articles = [
            f"https://blog{number % 7}.example.com/articles/{number}-some-title" for number in range(articles)
        ]
        self._topic = topics.links
        self._chance = random.Random(seed)
        self._shares = shares or Shares()
        self._pages_max = pages_max
        self._begin_ms = int(time.time() * 1000)
        self._pages = [0] * articles
        self._recent: list[Outgoing] = []
        self._poison = [
            *((path.read_bytes(), path.name.split(".")[0]) for path in sorted(_REJECTED.iterdir())),
            (None, "empty"),
            (b'[{"url_from": "https://a.example/"}]', "wrong_type"),
            (b'{"x": ' + b"[" * 50_000, "invalid_json"),
            (
                b'{"url_from": "https://a.example/", "url_to": "https://b.example/", "x": "%s"}' % (b"x" * 65_536),
                "too_long",
            ),
        ]

    def __iter__(self) -> Iterator[Outgoing]:
        return self

    def __next__(self) -> Outgoing:
        chance, shares = self._chance, self._shares
        if self._recent and chance.random() < shares.repeated:
            return chance.choice(self._recent)
        if chance.random() < shares.poison:
            return self.poison()
        article = chance.randrange(len(self.articles))
        pages = self._pages[article]
        if pages and (pages == self._pages_max or chance.random() < shares.known):
            page = chance.randrange(pages)
        else:
            page = pages
            self._pages[article] += 1
        record = self._record(article, page, "lost" if chance.random() < shares.lost else "gained")
        if len(self._recent) < RECENT_MAX:
            self._recent.append(record)
        else:
            self._recent[chance.randrange(RECENT_MAX)] = record
        return record

    def one_each(self) -> Iterator[Outgoing]:
        """Yield a link that is new for every article."""
        for article in range(len(self.articles)):
            yield self._record(article, self._pages[article], "gained")
            self._pages[article] += 1

    def poison(self) -> Outgoing:
        """Return a record that can't be read; its header says why."""
        chance = self._chance
        value, reason = chance.choice(self._poison)
        if chance.random() < self._shares.noise:
            value, reason = b"\xff" + chance.randbytes(chance.randrange(300)), "invalid_json"
        partition = chance.randrange(self._topic.partitions)
        return Outgoing(self._topic.name, partition, chance.randbytes(8), value, headers=[(POISON, reason.encode())])

    def _record(self, article: int, page: int, change: str) -> Outgoing:
        chance, shares = self._chance, self._shares
        url_to = self.articles[article]
        host, domain = _HOSTS[page % len(_HOSTS)]((article * 31 + page * 7) % DOMAINS)
        path = f"/posts/{article}-{page}-about-it"
        event: dict[str, object] = {
            "url_from": chance.choice(_SPELLINGS)(host, path),
            "url_to": chance.choice(_SPELLINGS)(*_split(url_to)),
            "source": f"crawler-{chance.randrange(3)}",
            "anchor": "a good read",
            TRUTH: {"article": url_to, "page": host + path, "domain": domain},
        }
        if change == "lost" or chance.random() < 0.5:
            event["change"] = change
        if chance.random() >= shares.undated:
            event["occurred_at" if chance.random() < 0.9 else "observed_at"] = self._date()
        timestamp_ms = self._begin_ms
        if chance.random() < shares.skewed:  # the broker takes no record that is dated an hour ahead of its own clock
            timestamp_ms += chance.randrange(-DAY_MS, 50 * MINUTE_MS)
        if chance.random() < shares.misplaced:
            key, partition = chance.randbytes(8), chance.randrange(self._topic.partitions)
        else:
            key = url_to.encode()
            partition = partition_of(key, self._topic.partitions)
        return Outgoing(self._topic.name, partition, key, orjson.dumps(event), timestamp_ms)

    def _date(self) -> str:
        """Return any instant of the last month, up to a day from now."""
        chance = self._chance
        if chance.random() < self._shares.absurd:
            return chance.choice(_ABSURD)
        at_ms = self._begin_ms + chance.randrange(-30 * DAY_MS, DAY_MS)
        if chance.random() < self._shares.coarse:
            at_ms -= at_ms % DAY_MS
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at_ms / 1000))}.{at_ms % 1000:03}Z"


def _split(url: str) -> tuple[str, str]:
    host, _, path = url.removeprefix("https://").partition("/")
    return host, f"/{path}"
