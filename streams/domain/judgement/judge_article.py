"""Judges one article, in the same way for the worker, the demo and explanations."""

from typing import NamedTuple

from flatline.domain.judgement.evidence import Evidence, evidence_of
from flatline.domain.judgement.judgement import Judgement, judge, retired
from flatline.domain.judgement.verdict import verdict_on
from flatline.domain.learned.expectation import Baseline, Expectation, expect
from flatline.domain.policy.policy import Policy
from flatline.domain.quality.link_value import LinkValue
from flatline.domain.state.article import Article
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.time import DAY_MS, day_of
from flatline.domain.visibility.visibility import Visibility
from flatline.schema.verdict import Verdict


class JudgedArticle(NamedTuple):
    """What should have come, what the judgement saw, what it is, and how it is published."""

    expectation: Expectation | None
    evidence: Evidence
    judgement: Judgement
    verdict: Verdict


def judge_article(
    article: Article,
    visibility: Visibility,
    *,
    link_value: LinkValue,
    baseline: Baseline,
    policy: Policy,
    previous: PreviousVerdict | None,
    now_ms: int,
    as_of_offset: int | None = None,
    retired_ms: int | None = None,
) -> JudgedArticle:
    """Judge an article at ``now_ms``. ``baseline``: what is learned of articles like it; ``previous``: what was said.

    ``as_of_offset``: of the links of its partition, that up to which all are in the article. ``retired_ms``: since when
    it is retired, so that nothing is judged.
    """
    header = article.header
    expectation = expect(
        article.totals.days,
        published_day=header.registration.published_day,
        watched_day=day_of(header.watched_since_ms),
        now_days=now_ms / DAY_MS,
        baseline=baseline,
    )
    evidence = evidence_of(article, visibility, link_value=link_value, expectation=expectation, now_ms=now_ms)
    thresholds, hazard = policy.thresholds_of(header.registration.tier), policy.hazard
    if retired_ms is None:
        judgement = judge(evidence, previous=previous, now_ms=now_ms, thresholds=thresholds, hazard=hazard)
    else:
        judgement = retired(since_ms=retired_ms, link_days=evidence.rhythm.link_days if evidence.rhythm else 0)
    verdict = verdict_on(
        article,
        judgement,
        link_value=link_value,
        expectation=expectation,
        horizon_days=hazard.horizon_days,
        now_ms=now_ms,
        as_of_offset=as_of_offset,
    )
    return JudgedArticle(expectation, evidence, judgement, verdict)
