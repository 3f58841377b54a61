"""A read model of the demo's simulated history, judged week by week; some records have hostile texts in every field."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import orjson

import flatline
from flatline.demo.simulation import Simulation
from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.survey import Survey, contribution, membership_of
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.learned.expectation import Baseline, expect
from flatline.domain.policy.policy import Policy
from flatline.domain.policy.thresholds import Thresholds
from flatline.domain.state.article import registration_of
from flatline.domain.time import DAY_MS, to_datetime, to_ms
from flatline.readmodel.database import Database
from flatline.readmodel.projection import Projection
from flatline.readmodel.sqlite_file import SqliteFile
from flatline.schema import codec
from flatline.schema.annotation import Annotation
from flatline.schema.group import GroupKind, GroupPart, SurveyRound
from flatline.schema.topics import Topics
from flatline.schema.verdict import State

NOW: Final = datetime(2026, 11, 28, 7, tzinfo=UTC)
NOW_MS: Final = to_ms(NOW)
TOPICS: Final = Topics(partitions=2)
_BEGIN_DAY: Final = NOW_MS // DAY_MS - 200
_WEEKS_JUDGED: Final = 12

HOSTILE: Final = (
    "<script>document.title='hacked'</script>",
    '"><img src=x onerror="document.title=\'hacked\'">',
    "\u202egnp.exe",
    "{{ 7 * 7 }}",
    "a" * 10_000,
    "x\x00y\x1b[31m",
)
HOSTILE_ARTICLE: Final = "https://notes.example/hostile"


class Record(NamedTuple):
    """A record as the Kafka client gives it."""

    key: bytes | None
    value: bytes | None
    timestamp: int
    offset: int
    headers: tuple[tuple[str, bytes], ...] = ()


class Portfolio(NamedTuple):
    """A read model, and the link events and verdicts that it was made from, as JSON."""

    database: Database
    events: list[bytes]
    verdicts: list[bytes]


def portfolio(folder: Path) -> Portfolio:
    """Return the read model of all."""
    simulation = Simulation(_BEGIN_DAY, folder)
    reports = simulation.reports(from_ms=0, until_ms=NOW_MS)
    lines = [(each.at_ms, each.line) for each in reports] + [(NOW_MS - DAY_MS, line) for line in _hostile_links()]
    records = [(to_ms(NOW) - 400 * DAY_MS, each.record) for each in simulation.simulated_articles] + [
        (NOW_MS - DAY_MS, _hostile_article())
    ]
    parts = list(_group_parts(lines, records))
    database = SqliteFile(folder / "readmodel.db", readers=2, deadline_s=30)
    verdicts = list(_verdicts(lines, records))
    projection = Projection(database, TOPICS, Policy())
    projection.apply(
        {
            (TOPICS.articles.name, 0): _numbered(None, records),
            (TOPICS.links.name, 0): _numbered(None, lines),
            (TOPICS.verdicts.name, 0): verdicts,
            (TOPICS.group_parts.name, 0): parts,
            (TOPICS.groups.name, 0): list(_group_verdicts(parts)),
            (TOPICS.heartbeats.name, 0): list(_heartbeats()),
            (TOPICS.dead_letters.name, 0): list(_dead_letters()),
            (TOPICS.annotations.name, 0): list(_annotations()),
        }
    )
    return Portfolio(database, [line for _, line in lines], [each.value for each in verdicts if each.value])


def _numbered(key: bytes | None, values: list[tuple[int, bytes]]) -> list[Record]:
    return [Record(key, value, at_ms, offset) for offset, (at_ms, value) in enumerate(values)]


def _verdicts(lines: list[tuple[int, bytes]], records: list[tuple[int, bytes]]) -> Iterator[Record]:
    """Yield the verdicts of each week, as a worker publishes those that say something new."""
    coming = sorted(lines)
    articles: dict[str, flatline.Article] = {}
    said: dict[str, tuple[str, datetime]] = {}
    offset = 0
    for week in range(_WEEKS_JUDGED, -1, -1):
        now = NOW - timedelta(weeks=week)
        until = [line for at_ms, line in coming if at_ms <= to_ms(now)]
        coming = coming[len(until) :]
        flatline.fold([flatline.decode_event(line) for line in until], articles, recorded_at=now)
        if week == _WEEKS_JUDGED:
            for at_ms, value in records:
                record = codec.articles.decode(value)
                known = articles.get(flatline.canonical_url(record.url))
                if known is not None:
                    known.register(registration_of(record, recorded_ms=at_ms))
        for key, article in articles.items():
            verdict = flatline.judge(article, now=now)
            if said.get(key) != (verdict.state, verdict.since) or week == 0:
                said[key] = verdict.state, verdict.since
                yield Record(key.encode(), codec.verdicts.encode(verdict), to_ms(now), offset)
                offset += 1


def _group_parts(lines: list[tuple[int, bytes]], records: list[tuple[int, bytes]]) -> Iterator[Record]:
    """Yield the survey of all articles, as a worker publishes it, on the first partition."""
    articles = flatline.fold([flatline.decode_event(line) for _, line in lines], recorded_at=NOW)
    survey = Survey(NOW_MS)
    for at_ms, value in records:
        record = codec.articles.decode(value)
        article = articles.get(flatline.canonical_url(record.url))
        if article is not None:
            article.register(registration_of(record, recorded_ms=at_ms))
    for article in articles.values():
        expectation = expect(
            article.totals.days,
            published_day=article.header.registration.published_day,
            watched_day=0,
            now_days=NOW_MS / DAY_MS,
            baseline=Baseline(),
        )
        values = contribution(
            expectation, article.totals.days, watched_day=0, last_week=survey.last_week, now_ms=NOW_MS
        )
        survey.add(membership_of(article), values, State.STEADY)
    for group, sums, states in survey.groups():
        part = GroupPart(group.kind, group.name, 0, NOW, dict(states), list(sums.values), survey.last_week)
        yield Record(f"0/{group.kind}/{group.name}".encode(), codec.group_parts.encode(part), NOW_MS, 0)
    for partition in range(TOPICS.layout.partitions):
        yield Record(str(partition).encode(), codec.survey_rounds.encode(SurveyRound(partition, NOW, 0)), NOW_MS, 0)


def _group_verdicts(parts: list[Record]) -> Iterator[Record]:
    totals = GroupTotals(TOPICS.layout.partitions)
    for part in parts:
        totals.receive_record(part.key or b"", part.value)
    for offset, (group, total) in enumerate(totals.by_group.items()):
        if group.kind is not GroupKind.MONTH and (total.sums.articles >= 3 or group.name in HOSTILE):
            verdict = judge_group(
                group, total, previous=None, now_ms=NOW_MS, thresholds=Thresholds(), unseen_reason=None
            )
            yield Record(f"{group.kind}/{group.name}".encode(), codec.groups.encode(verdict), NOW_MS, offset)


def _hostile_article() -> bytes:
    return orjson.dumps(
        {
            "url": HOSTILE_ARTICLE,
            "title": HOSTILE[0],
            "author": HOSTILE[1],
            "series": HOSTILE[3],
            "strategy": HOSTILE[1],
            "tier": 1,
        }
    )


def _hostile_links() -> Iterator[bytes]:
    for number, text in enumerate(HOSTILE):
        yield orjson.dumps(
            {
                "url_from": f"https://hostile{number}.example/?q={'%3Cscript%3E' * number}",
                "url_to": HOSTILE_ARTICLE,
                "anchor": text[:2_000],
                "context": text[:2_000],
                "page": {"title": text[:500], "author": text[:200].replace("\x00", "")},
                "source": "hostile",
                "change": "lost" if number % 2 else "gained",
                "lost_reason": "<b>gone</b>" if number % 2 else None,
                "observed_at": to_datetime(NOW_MS - (10 - number) * DAY_MS),
            }
        )
        if number % 2:
            yield orjson.dumps(
                {
                    "url_from": f"https://hostile{number}.example/?q={'%3Cscript%3E' * number}",
                    "url_to": HOSTILE_ARTICLE,
                    "anchor": text[:2_000],
                    "observed_at": to_datetime(NOW_MS - 20 * DAY_MS),
                }
            )


def _heartbeats() -> Iterator[Record]:
    # The vendor was away for a week two months ago, and is again.
    hours_ago = {
        "night-crawler": [1 + 24 * day for day in range(120)],
        "link-vendor": [90 + 24 * day for day in range(100) if not 55 <= day < 62],
    }
    sent = [(hours, source) for source, all_hours in hours_ago.items() for hours in all_hours]
    for offset, (hours, source) in enumerate(sorted(sent, reverse=True)):
        seen = NOW - timedelta(hours=hours)
        value = orjson.dumps({"source": source, "sent_at": seen, "seen_until": seen, "period_s": 21_600})
        yield Record(source.encode(), value, to_ms(seen), offset)


def _annotations() -> Iterator[Record]:
    for offset, text in enumerate(HOSTILE):
        day = NOW.date() - timedelta(days=3 * offset)
        said = Annotation(day, text[:1_000], NOW, article=HOSTILE_ARTICLE, by=text[:200])
        yield Record(str(offset).encode(), codec.annotations.encode(said), NOW_MS, offset)


def _dead_letters() -> Iterator[Record]:
    for offset, text in enumerate(HOSTILE):
        headers = (("reason", b"invalid_url"), ("detail", text.encode()), ("topic", b"flatline.links.v1"))
        where = (("partition", b"0"), ("offset", str(offset).encode()))
        yield Record(None, text.encode(), NOW_MS - offset * 60_000, offset, (*headers, *where))
