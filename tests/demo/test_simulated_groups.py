"""The demo's groups, judged by the domain's code on many days: none has anything to say that the story doesn't tell."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from flatline.demo import story
from flatline.demo.scenarios import SimulatedScenario
from flatline.demo.simulation import Simulation
from flatline.domain.events.observation import ArticleKeys, observation_of
from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.survey import Group, Survey, contribution, membership_of
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.judgement.judge_article import judge_article
from flatline.domain.quality.article_link_value import article_link_value
from flatline.domain.state.article import Article, Header, LinkObservation, registration_of
from flatline.domain.state.segment import Segment
from flatline.domain.time import DAY_MS, day_of, to_datetime
from flatline.domain.visibility.sources import Sources
from flatline.policy_file import load_policy
from flatline.schema import codec
from flatline.schema.group import GroupKind, GroupPart, GroupState, GroupVerdict, SurveyRound
from flatline.schema.heartbeat import Heartbeat

BEGIN_DAY = 20_000
STEP_DAYS = 7
POLICY = load_policy(SimulatedScenario.policy_file)


@pytest.mark.long
@pytest.mark.parametrize("ahead_days", [0, 5])
def test_no_group_falls_below_its_curve(ahead_days: int, tmp_path: Path) -> None:
    """Whenever a round of the survey ends, and however far ahead of the clock links are known."""
    verdicts = list(_verdicts(Simulation(BEGIN_DAY, tmp_path), ahead_ms=ahead_days * DAY_MS))
    assert len(verdicts) > 500
    assert [verdict for verdict in verdicts if verdict.state is GroupState.UNDER_CURVE] == []


def _verdicts(played: Simulation, *, ahead_ms: int) -> Iterator[GroupVerdict]:
    """Yield what is said of each group, every STEP_DAYS."""
    keys, sources, group_totals, said = ArticleKeys(), Sources(), GroupTotals(1), dict[Group, GroupVerdict]()
    articles: dict[bytes, Article] = {}
    for simulated in played.simulated_articles:
        record = codec.articles.decode(simulated.record)
        article = articles[keys[record.url]] = Article(keys[record.url], Header(played.begins_ms), Segment())
        article.header.registration = registration_of(record, recorded_ms=played.begins_ms)
    read_ms = 0
    for day in range(BEGIN_DAY, BEGIN_DAY + story.DAYS, STEP_DAYS):
        now_ms = day * DAY_MS + DAY_MS // 2
        for report in played.reports(from_ms=read_ms, until_ms=now_ms + ahead_ms):
            observation = observation_of(
                codec.links.decode(report.line), recorded_ms=played.ends_ms + DAY_MS, keys=keys
            )
            assert isinstance(observation, LinkObservation)
            articles[observation.article].apply([observation], Counter())
        read_ms, now = now_ms + ahead_ms, to_datetime(now_ms)
        for source in played.sources(now_ms):
            sources.receive(Heartbeat(source, sent_at=now, seen_until=now, period_s=played.period_days * DAY_MS / 1000))
        for record in _round(articles.values(), sources, group_totals, now_ms):
            group_totals.receive(record)
        for group, whole in group_totals.by_group.items():
            if group.kind is not GroupKind.MONTH and whole.sums.articles >= POLICY.default.group_articles_min:
                said[group] = judge_group(
                    group,
                    whole,
                    previous=said.get(group),
                    now_ms=now_ms,
                    thresholds=POLICY.default,
                    unseen_reason=None,
                )
                yield said[group]


def _round(
    articles: Iterable[Article], sources: Sources, group_totals: GroupTotals, now_ms: int
) -> Iterator[GroupPart | SurveyRound]:
    """Yield the records of a round of the survey."""
    survey, visibility = Survey(now_ms), sources.visibility(now_ms)
    for article in articles:
        membership = membership_of(article)
        judged = judge_article(
            article,
            visibility,
            link_value=article_link_value(article, quality_min=POLICY.default.worthy_quality),
            baseline=group_totals.baseline_of(membership),
            policy=POLICY,
            previous=article.header.previous_verdict,
            now_ms=now_ms,
        )
        article.header.previous_verdict = judged.judgement.as_previous_verdict()
        seen = judged.evidence.visibility
        values = contribution(
            judged.expectation,
            article.totals.days,
            watched_day=day_of(article.header.watched_since_ms),
            last_week=survey.last_week,
            now_ms=now_ms,
            unseen_days=seen.unseen_days if seen.is_hardly_seen else None,
        )
        survey.add(membership, values, judged.verdict.state)
    ended_at = to_datetime(now_ms)
    for group, sums, states in survey.groups():
        yield GroupPart(group.kind, group.name, 0, ended_at, dict(states), list(sums.values), survey.last_week)
    yield SurveyRound(0, ended_at, 0, survey.left_out)
