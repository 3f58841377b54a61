"""A history with something of everything, and hostile text in every field that takes text."""

from datetime import timedelta

import msgspec

from flatline.domain.time import DAY_MS, to_datetime
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.group import GroupKind, GroupState, GroupVerdict, Tally
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.link_event import LinkEvent, Page
from flatline.schema.verdict import GainedInDays, State, Verdict
from flatline.schema.visits_record import VisitsRecord
from tests.readmodel.projecting import NOW_MS, TOPICS, Log

HOSTILE = (
    "<script>alert(1)</script>",
    '=HYPERLINK("https://evil.example")',
    "'; DROP TABLE links; --",
    "\u202etxt.exe",
    "nul \0 and \r\n lines",
    '"quotes", commas',
    "x" * 500,
    '" OR anchor MATCH "',
)
KEYS = [f"https://yours.example/{number}" for number in range(12)]


def verdict_of(key: str, *, state: State = State.SILENT, days_ago: int = 0, reason: str = "No link.") -> Verdict:
    """Return a verdict."""
    at = to_datetime(NOW_MS - days_ago * DAY_MS)
    return Verdict(
        article=key,
        state=state,
        since=at,
        judged_at=at,
        reason=reason,
        score=0.5,
        horizon_days=180,
        suppressed=False,
        gained_total=1,
        lost_total=0,
        live=1,
        referring_domains=1,
        gained_in_days=GainedInDays(0, 0, 0, 1, 1),
        first_gained_at=at,
        last_gained_at=at,
        nofollow=0,
        ugc=0,
        sponsored=0,
        watched_since=at - timedelta(days=40),
    )


def history() -> Log:
    """Return the log."""
    log, now = Log(), to_datetime(NOW_MS)
    for number, key in enumerate(KEYS):
        text = HOSTILE[number % len(HOSTILE)]
        log.say(ArticleRecord(key, title=text, author=text[:200], series=text[:200], strategy="earned"))
        for day in range(number + 1):
            log.say(
                LinkEvent(
                    f"https://site{day}.example/{number}",
                    key,
                    occurred_at=now - timedelta(days=10 * day + 1),
                    anchor=text,
                    context=text,
                    rel=["nofollow"],
                    page=Page(title=text, author=text[:200], published_at=now, type="post", language="en"),
                    source="crawler",
                )
            )
        log.say(
            LinkEvent(
                f"https://site0.example/{number}",
                key,
                change="lost",
                occurred_at=now,
                lost_reason=text[:200],
                source="vendor",
            )
        )
        visits = VisitsRecord(key, (now - timedelta(days=1)).date(), 7, domain="site0.example")
        log.write(TOPICS.visits, codec.visits.encode(visits))
        for days_ago, state in ((9, State.STEADY), (8, State.STEADY), (0, State.SILENT)):
            verdict = verdict_of(key, state=state, days_ago=days_ago, reason=text)
            if state is State.STEADY:  # said twice: no change
                verdict = msgspec.structs.replace(verdict, since=to_datetime(NOW_MS - 9 * DAY_MS))
            log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=key.encode())
    heartbeat = Heartbeat("crawler", now, now - timedelta(days=5), period_s=3_600.0)
    log.write(TOPICS.heartbeats, codec.heartbeats.encode(heartbeat), key=b"crawler")
    tally = Tally(3.0, 1)
    group = GroupVerdict(
        GroupKind.SITE, "yours.example", GroupState.UNDER_CURVE, now, now, HOSTILE[0], 0.1, 28, tally, False, 12, {},
        tally, tally, tally,
    )  # fmt: skip
    log.write(TOPICS.groups, codec.groups.encode(group), key=b"site/yours.example")
    log.write(
        TOPICS.dead_letters,
        b"\xff{" + HOSTILE[0].encode(),
        key=b"\xff",
        headers=[("reason", b"invalid_json"), ("detail", HOSTILE[4].encode()), ("offset", b"9" * 99), ("topic", b"t")],
    )
    # Keys that are longer than an index of PostgreSQL takes, and numbers beyond 32 bits: anybody may write them.
    long = "".join(chr(ord("a") + number * number % 23) + str(number) for number in range(2_000))
    judged = msgspec.structs.replace(verdict_of(f"https://long.example/{long}"), gained_total=10**12)
    log.write(TOPICS.verdicts, codec.verdicts.encode(judged), key=judged.article.encode())
    log.write(TOPICS.groups, None, key=f"site/{long}".encode())
    log.write(TOPICS.heartbeats, codec.heartbeats.encode(heartbeat), key=long.encode())
    log.write(
        TOPICS.dead_letters, b"", key=long.encode(), headers=[("reason", long.encode()), ("partition", b"9" * 18)]
    )
    for garbage in (b"\xff", b"{}", b"[]", None):
        for topic in (TOPICS.links, TOPICS.articles, TOPICS.visits, TOPICS.removals, TOPICS.moves, TOPICS.verdicts):
            log.write(topic, garbage, key=b"\xff\0garbage")
        for topic in (TOPICS.groups, TOPICS.heartbeats, TOPICS.group_parts, TOPICS.dead_letters):
            log.write(topic, garbage, key=b"\xff\0garbage")
    return log
