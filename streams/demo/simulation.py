"""Simulates a history: what the team registers and what crawlers report, before and during the story."""

from bisect import bisect_left
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import orjson

from flatline.demo import story
from flatline.demo.play import Act, TimedEvent
from flatline.demo.titles import ALL_SERIES, AUTHORS, CRAWLERS, SUBJECTS, Series, article_url, referring_url, title_of
from flatline.domain.time import DAY_MS, to_datetime
from flatline_connectors.files.lines import Line, LineFile

_SEED: Final = 1
_LOST_SHARE: Final = 0.05
_LOST_WITHIN_DAYS: Final = 300


class SimulatedArticle(NamedTuple):
    """An article and the UTC days on which it gains links."""

    series: Series
    subject: str
    author: str
    tier: int
    link_days: list[int]

    @property
    def url(self) -> str:
        """Its address."""
        return article_url(self.series, self.subject)

    @property
    def record(self) -> bytes:
        """What the team registers, as JSON."""
        return orjson.dumps(
            {
                "url": self.url,
                "title": title_of(self.series, self.subject),
                "author": self.author,
                "series": self.series.name,
                "strategy": self.series.strategy,
                "tier": self.tier,
                "published_at": to_datetime(self.link_days[0] * DAY_MS),
            }
        )


class Simulation:
    """The history around a story that begins at 0:00 UTC of ``begin_day``. One seed gives one history, for any day.

    What is known at that time is in files that it writes to ``folder``.
    """

    period_days = 10.0

    def __init__(self, begin_day: int, folder: Path, *, seed: int = _SEED) -> None:
        chance = Random(seed)
        self._begin_day = begin_day
        self.begins_ms = begin_day * DAY_MS
        self.ends_ms = (begin_day + story.DAYS) * DAY_MS
        self.simulated_articles = [
            SimulatedArticle(
                series,
                subject,
                author=chance.choice(AUTHORS),
                tier=min(chance.choice((1, 2, 2, 3)), series.tier),
                link_days=[begin_day + day for day in story.link_days(chance, series, subject)],
            )
            for series in ALL_SERIES
            for subject in SUBJECTS
        ]
        self._reports = sorted(self._all_reports(chance), key=attrgetter("at_ms"))
        self.articles: Path | None = folder / "articles.ndjson"
        self.articles.write_bytes(b"\n".join(article.record for article in self.simulated_articles))
        self.links = folder / "past.ndjson"
        self.links.write_bytes(b"\n".join(report.line for report in self.reports(from_ms=0, until_ms=self.begins_ms)))

    def past(self, links: LineFile) -> Iterator[Line]:
        """Return all lines: the file has only events from before the story."""
        return iter(links)

    def reports(self, *, from_ms: int, until_ms: int) -> list[TimedEvent]:
        """Return what the crawlers report in a half-open range of instants, in order."""
        first, end = (bisect_left(self._reports, instant, key=attrgetter("at_ms")) for instant in (from_ms, until_ms))
        return self._reports[first:end]

    def sources(self, at_ms: int) -> list[str]:
        """Return the crawlers that are alive."""
        return [crawler for crawler in CRAWLERS if self._is_alive(crawler, at_ms)]

    def acts(self) -> list[Act]:
        """Return the acts of the story."""
        return [Act((self._begin_day + day) * DAY_MS, words) for day, words in sorted(story.ACTS.items())]

    def _is_alive(self, crawler: str, at_ms: int) -> bool:
        return crawler != story.DEAD_CRAWLER or at_ms // DAY_MS - self._begin_day not in story.OUTAGE

    def _all_reports(self, chance: Random) -> Iterator[TimedEvent]:
        page = 0
        for article in self.simulated_articles:
            for day in article.link_days:
                for _ in range(chance.choice((1, 1, 1, 2, 3))):
                    page += 1
                    yield from self._life_of_a_link(chance, article, day=day, page=page)

    def _life_of_a_link(
        self, chance: Random, article: SimulatedArticle, *, day: int, page: int
    ) -> Iterator[TimedEvent]:
        crawler = article.series.crawler
        event: dict[str, object] = {
            "url_from": referring_url(crawler, page),
            "url_to": article.url + chance.choice(("", "", "", "?utm_source=newsletter", "#comments")),
            "anchor": article.subject,
            "rel": chance.choice(([], [], [], ["nofollow"])),
            "source": crawler,
        }
        gained_ms = day * DAY_MS + chance.randrange(DAY_MS)
        yield self._report(chance, crawler, event, occurred_ms=gained_ms)
        if chance.random() < _LOST_SHARE:
            lost_ms = gained_ms + chance.randrange(1, _LOST_WITHIN_DAYS) * DAY_MS
            yield self._report(chance, crawler, event | {"change": "lost"}, occurred_ms=lost_ms)

    def _report(self, chance: Random, crawler: str, event: dict[str, object], *, occurred_ms: int) -> TimedEvent:
        """Have the crawler find the change within hours; a crawler that is down finds it when it is back."""
        observed_ms = occurred_ms + chance.randrange(DAY_MS // 2)
        if not self._is_alive(crawler, observed_ms):
            observed_ms = (self._begin_day + story.OUTAGE.stop) * DAY_MS
        instants = {"occurred_at": to_datetime(occurred_ms), "observed_at": to_datetime(observed_ms)}
        return TimedEvent(observed_ms, crawler, orjson.dumps(event | instants))
