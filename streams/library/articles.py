"""Link events into articles, and verdicts on these: what a worker does, without Kafka."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from flatline.domain.events.observation import ArticleKeys, observation_of
from flatline.domain.judgement.judge_article import judge_article
from flatline.domain.judgement.verdict import digest
from flatline.domain.learned.expectation import Baseline
from flatline.domain.policy.policy import Policy
from flatline.domain.quality.article_link_value import article_link_value
from flatline.domain.state.article import Article, Header, LinkObservation
from flatline.domain.state.link import Effect
from flatline.domain.state.segment import Segment
from flatline.domain.time import EARLIEST_MS, LATEST_MS
from flatline.domain.visibility.visibility import Visibility
from flatline.library.instants import ms_of
from flatline.schema.link_event import LinkEvent
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.verdict import Verdict

_DEFAULTS: Final = Policy()
_EVERYTHING_VISIBLE: Final = Visibility()
_TYPICAL: Final = Baseline()


def fold(
    events: Iterable[LinkEvent],
    into: dict[str, Article] | None = None,
    *,
    recorded_at: datetime | None = None,
    watched_since: datetime | None = None,
    policy: Policy = _DEFAULTS,
) -> dict[str, Article]:
    """Add link events to their articles and return these by canonical URL; ``into`` is changed and returned.

    Events may come in any order and more than once. ``recorded_at`` is when they reached you: the time of those that
    have none of their own, and none is later. ``watched_since``: what fell silent before is no news; it holds for
    articles that are new. Raises `Rejected` for an event without a time where ``recorded_at`` is not given, and for
    URLs that are none.

    >>> from datetime import UTC
    >>> seen = LinkEvent("https://a.example/", "https://yours.example/x", observed_at=datetime(2026, 1, 31, tzinfo=UTC))
    >>> fold([seen, seen])["https://yours.example/x"].totals.gained
    1
    """
    articles = {} if into is None else into
    keys = ArticleKeys()
    recorded_ms = LATEST_MS if recorded_at is None else ms_of("recorded_at", recorded_at)
    by_article: defaultdict[bytes, list[LinkObservation]] = defaultdict(list)
    for event in events:
        if recorded_at is None and event.occurred_at is None and event.observed_at is None:
            raise Rejected(Reason.INVALID_TIME, "the event has no time of its own, and recorded_at is not given")
        observation = observation_of(event, recorded_ms=recorded_ms, keys=keys, ignored=policy.ignored)
        if isinstance(observation, LinkObservation):
            by_article[observation.article].append(observation)
    watched_since_ms = EARLIEST_MS if watched_since is None else ms_of("watched_since", watched_since)
    for key, observations in by_article.items():
        article = articles.get(key.decode())
        if article is None:
            article = articles[key.decode()] = Article(key, Header(watched_since_ms), Segment())
        article.apply(observations, Counter[tuple[str | None, Effect]]())
    return articles


def judge(article: Article, *, now: datetime, policy: Policy = _DEFAULTS) -> Verdict:
    """Return the verdict on an article, and remember in the article what was said: the next verdict goes by it.

    All its sources are taken to have seen everything until ``now``, and its kind for the typical one: a worker learns
    both from heartbeats and from other articles.

    >>> from datetime import UTC
    >>> seen = LinkEvent("https://a.example/", "https://yours.example/x", observed_at=datetime(2026, 1, 31, tzinfo=UTC))
    >>> str(judge(fold([seen])["https://yours.example/x"], now=datetime(2026, 2, 28, tzinfo=UTC)).state)
    'new'
    """
    now_ms = ms_of("now", now)
    judged = judge_article(
        article,
        _EVERYTHING_VISIBLE,
        link_value=article_link_value(
            article, quality_min=policy.thresholds_of(article.header.registration.tier).worthy_quality
        ),
        baseline=_TYPICAL,
        policy=policy,
        previous=article.header.previous_verdict,
        now_ms=now_ms,
    )
    article.header.previous_verdict = judged.judgement.as_previous_verdict(digest(judged.verdict))
    return judged.verdict


class _Dump(msgspec.Struct, array_like=True):
    key: bytes
    record: bytes
    further: dict[bytes, bytes]


def dump_article(article: Article) -> bytes:
    """Return an article as bytes that `load_article` reads; a later version of Flatline does, too."""
    return msgspec.msgpack.encode(
        _Dump(article.key, article.encode(), dict(article.encode_further(only_changed=False)))
    )


def load_article(dump: bytes) -> Article:
    """Return the article that was dumped. Raises ValueError, or UnknownFormatError for one of a later format."""
    loaded = msgspec.msgpack.decode(dump, type=_Dump)
    return Article.decode(loaded.key, loaded.record, loaded.further)
