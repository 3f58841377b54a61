"""Simulated articles that are in trouble, or in luck, on a given day: one of each kind that a dashboard shows."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

import orjson

from flatline.demo import rhythms
from flatline.demo.play import TimedEvent
from flatline.domain.time import DAY_MS, to_datetime

# Its own crawler, which never dies: nothing is left unsaid because it could not be seen.
CRAWLER: Final = "crawler-south"
OTHER_CRAWLER: Final = "crawler-north"
TRIALS: Final = "Trials"
DIGEST: Final = "Weekly Digest"

_SITE: Final = "https://journal.simulated.example"
_THIN: Final = {"rel": ["sponsored"], "placement": "footer"}
_DIGESTS: Final = 8
# Of a source with so few articles no habit is learned. On a fast clock any other reports days late, is known for that,
# and nothing worse is said of a group meanwhile.
_READERS: Final = 2
_SEEN_AGAIN_EVERY: Final = 2
_LOST_SHARE: Final = 0.5


class Troubles:
    """Articles whose stories end on the UTC day ``end``."""

    def __init__(self, end: int) -> None:
        self._end = end
        self._chance = Random(2)
        self._pages = 0
        self.articles: list[bytes] = []
        self.reports = sorted(self._all(), key=lambda report: report.at_ms)

    def _all(self) -> Iterator[TimedEvent]:
        chance, end = self._chance, self._end
        url = self._article("a page that moved", TRIALS)
        yield from self._losing(url, rhythms.steady(chance, range(end - 700, end - 1), mean_gap=15), lost_on=end - 4)

        url = self._article("only sold links now", TRIALS)
        yield from self._links(url, rhythms.steady(chance, range(end - 800, end - 260), mean_gap=9))
        yield from self._links(url, rhythms.steady(chance, range(end - 250, end), mean_gap=9), **_THIN)

        url = self._article("linked again after years", TRIALS)
        yield from self._links(url, rhythms.steady(chance, range(end - 1_300, end - 1_000), mean_gap=12))
        yield from self._links(url, [end - 14, end - 11, end - 7, end - 4, end - 2])

        url = self._article("talk of the week", TRIALS)
        yield from self._links(url, rhythms.steady(chance, range(end - 500, end - 8), mean_gap=14))
        yield from self._links(url, [day for day in range(end - 5, end) for _ in range(6)])

        url = self._article("on the rise", TRIALS)
        yield from self._links(url, rhythms.growing(chance, range(end - 320, end), mean_gap=30, halved_after=70))

        url = self._article("what's just out", TRIALS)
        yield from self._links(url, [end - 12, end - 6])

        for number in range(_DIGESTS):
            url = self._article(f"week {number}", DIGEST)
            reader = f"reader-{number % _READERS}"
            yield from self._links(url, rhythms.steady(chance, range(end - 900, end - 170), mean_gap=6), source=reader)
            yield from self._links(url, rhythms.steady(chance, range(end - 160, end), mean_gap=50), source=reader)

        url = self._article("nobody links any more", TRIALS)
        yield from self._links(url, rhythms.steady(chance, range(end - 420, end - 275), mean_gap=14))

    def _article(self, title: str, series: str) -> str:
        url = f"{_SITE}/{series.lower().replace(' ', '-')}/{title.replace(' ', '-')}"
        author = {TRIALS: "Nadia Ferro", DIGEST: "Iris Quant"}[series]
        record = {"url": url, "title": title, "series": series, "author": author, "strategy": series, "tier": 1}
        self.articles.append(orjson.dumps(record))
        return url

    def _links(self, url: str, days: list[int], **looks: Any) -> Iterator[TimedEvent]:
        for day in days:
            event, at_ms = self._event(url) | looks, day * DAY_MS + self._chance.randrange(DAY_MS // 2)
            yield _report(event, at_ms)
            if event["source"] == CRAWLER:
                yield from self._seen_again(event, at_ms)

    def _seen_again(self, event: dict[str, object], at_ms: int) -> Iterator[TimedEvent]:
        """Have another crawler come by, now and then: most links are seen by one alone."""
        if self._pages % _SEEN_AGAIN_EVERY == 0:
            yield _report(event | {"source": OTHER_CRAWLER}, at_ms + DAY_MS)

    def _losing(self, url: str, days: list[int], *, lost_on: int) -> Iterator[TimedEvent]:
        for day in days:
            event = self._event(url)
            yield _report(event, day * DAY_MS)
            if day < lost_on and self._chance.random() < _LOST_SHARE:
                yield _report(event | {"change": "lost"}, lost_on * DAY_MS + self._pages)

    def _event(self, url: str) -> dict[str, object]:
        self._pages += 1
        page = f"https://south-{self._pages % 90}.example/posts/{self._pages}"
        return {"url_from": page, "url_to": url, "anchor": "worth reading", "source": CRAWLER}


def _report(event: dict[str, object], at_ms: int) -> TimedEvent:
    instant = to_datetime(at_ms)
    pusher = OTHER_CRAWLER if event["source"] == OTHER_CRAWLER else CRAWLER
    return TimedEvent(at_ms, pusher, orjson.dumps(event | {"occurred_at": instant, "observed_at": instant}))
