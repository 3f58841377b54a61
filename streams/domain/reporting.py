"""From an article's state and a judgement to the verdict that is published."""

import msgspec
from xxhash import xxh3_64_intdigest

from streams.domain.article import Article
from streams.domain.event_time import to_datetime
from streams.domain.hazard import HORIZON_DAYS
from streams.domain.judgement import Judgement
from streams.domain.rhythm import day_of
from streams.schema import codec
from streams.schema.verdict import GainedInDays, Verdict


def verdict_on(key: str, article: Article, judgement: Judgement, *, now_ms: int) -> Verdict:
    """Return the verdict on the article with this key."""
    today = day_of(now_ms)
    registration = article.header.registration
    return Verdict(
        article=key,
        state=judgement.state,
        since=to_datetime(judgement.since_ms),
        judged_at=to_datetime(now_ms),
        reason=judgement.reason,
        score=judgement.score,
        horizon_days=HORIZON_DAYS,
        suppressed=judgement.suppressed,
        gained_total=article.gained,
        lost_total=article.lost,
        live=article.live,
        referring_domains=len(article.domains),
        gained_in_days=GainedInDays(
            *(article.gained_in_days(days, today=today) for days in (1, 7, 28, 90, 365)),
        ),
        first_gained_at=to_datetime(article.first_gained_ms) if article.gained else None,
        last_gained_at=to_datetime(article.last_gained_ms) if article.gained else None,
        nofollow=article.nofollow,
        ugc=article.ugc,
        sponsored=article.sponsored,
        title=registration.title,
        author=registration.author,
        series=registration.series,
        strategy=registration.strategy,
        tier=registration.tier,
    )


def digest(verdict: Verdict) -> int:
    """Return a fingerprint of all that a verdict says, when it was said left out."""
    return xxh3_64_intdigest(codec.verdicts.encode(msgspec.structs.replace(verdict, judged_at=verdict.since)))
