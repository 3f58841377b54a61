"""The verdict that is published, made from a judgement."""

import msgspec
from xxhash import xxh3_64_intdigest

from flatline.domain.impact.impact import impact_of
from flatline.domain.judgement.judgement import Judgement
from flatline.domain.learned.expectation import Expectation
from flatline.domain.learned.profile import profile_of
from flatline.domain.quality.link_value import LinkValue
from flatline.domain.state.article import Article
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.time import DAY_MS, day_of, to_datetime, to_ms
from flatline.schema import codec, verdict
from flatline.schema.verdict import Finding, GainedInDays, State, Verdict


def verdict_on(
    article: Article,
    judgement: Judgement,
    *,
    link_value: LinkValue | None = None,
    expectation: Expectation | None = None,
    horizon_days: int,
    now_ms: int,
    as_of_offset: int | None = None,
) -> Verdict:
    """Return the verdict on an article; without its worth or expectation where these are not given."""
    today = day_of(now_ms)
    registration = article.header.registration
    totals = article.totals
    return Verdict(
        article=article.key.decode(),
        state=judgement.state,
        since=to_datetime(judgement.since_ms),
        judged_at=to_datetime(now_ms),
        reason=judgement.reason,
        score=judgement.score,
        probability=judgement.probability,
        horizon_days=horizon_days,
        suppressed=judgement.suppressed,
        gained_total=totals.gained,
        lost_total=totals.lost,
        live=totals.live,
        referring_domains=totals.referring_domains,
        gained_in_days=GainedInDays(
            *(totals.gained_in_days(days, today=today) for days in (1, 7, 28, 90, 365)),
        ),
        first_gained_at=to_datetime(totals.first_gained_ms) if totals.gained else None,
        last_gained_at=to_datetime(totals.last_gained_ms) if totals.gained else None,
        nofollow=totals.nofollow,
        ugc=totals.ugc,
        sponsored=totals.sponsored,
        title=registration.title,
        author=registration.author,
        series=registration.series,
        strategy=registration.strategy,
        tier=registration.tier,
        findings=[
            Finding(kind, to_datetime(found.since_ms), found.reason, dict(found.lost_reasons))
            for kind, found in judgement.findings.items()
        ],
        impact=impact_of(article.segments, article.visits.sent(), today=today) if article.visits else None,
        worth=None if link_value is None else _summary(link_value, today=today),
        # It moves a little each day, and a dormant article is not written again each day.
        expectation=None
        if expectation is None or judgement.state is State.DORMANT
        else published_expectation(expectation),
        profile=profile_of(totals.days, published_day=registration.published_day, today=today),
        watched_since=to_datetime(article.header.watched_since_ms),
        is_floor=article.header.floor_ms > 0,
        as_of_offset=as_of_offset,
        link_days=judgement.link_days,
        quiet_since=to_datetime(judgement.quiet_since_ms) if judgement.quiet_since_ms else None,
    )


def previous_verdict_of(verdict: Verdict) -> PreviousVerdict:
    """Return what the next judgement needs to know of a published verdict; its digest is 0, so that it is said again.

    ``link_days`` is 0 where a former version wrote the verdict.
    """
    return PreviousVerdict(
        verdict.state,
        to_ms(verdict.since),
        0,
        {finding.kind: to_ms(finding.since) for finding in verdict.findings},
        verdict.link_days or 0,
        to_ms(verdict.quiet_since) if verdict.quiet_since else 0,
    )


def published_expectation(expectation: Expectation) -> verdict.Expectation:
    """Return the windows as they are published."""
    return verdict.Expectation(
        *(
            verdict.Expected(round(expected, 2), gained, round(so_few, 4), round(so_many, 4))
            for expected, gained, so_few, so_many in expectation.windows
        )
    )


def _summary(link_value: LinkValue, *, today: int) -> verdict.Worth:
    last_day = link_value.last_day
    return verdict.Worth(
        weighted_total=round(link_value.weighted, 2),
        thin=link_value.thin,
        worthy_in_28_days=link_value.gained_in_days(28, today=today),
        worthy_in_90_days=link_value.gained_in_days(90, today=today),
        last_worthy_on=None if last_day is None else to_datetime(last_day * DAY_MS).date(),
    )


def digest(verdict: Verdict) -> int:
    """Return a fingerprint of all that a verdict says, but when it was judged and up to which record."""
    verdict = msgspec.structs.replace(verdict, judged_at=verdict.since, as_of_offset=None)
    return xxh3_64_intdigest(codec.verdicts.encode(verdict))
