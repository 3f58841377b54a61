"""An explanation of one article by known histories: what is said of it at the end of a day, and was said before."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import msgspec

from flatline.backtest.histories import UNREGISTERED, Histories, History
from flatline.backtest.replay import judgements
from flatline.backtest.visibility_history import VisibilityHistory
from flatline.domain.explanation.explained import Change, Explanation
from flatline.domain.explanation.explanation import ExplanationContext, explain
from flatline.domain.groups import replay as group_replay
from flatline.domain.groups.judgement import judge_group
from flatline.domain.groups.replay import survey_round
from flatline.domain.groups.survey import Group, Membership, membership_of
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.learned.domain_reputation import DomainReputations
from flatline.domain.policy.policy import Policy
from flatline.domain.state.article import Article, Registration
from flatline.domain.state.link import Effect
from flatline.domain.state.previous_verdict import PreviousVerdict
from flatline.domain.time import DAY_MS, EARLIEST_MS, day_of, to_datetime, to_ms
from flatline.domain.urls.canonical import referring_domain
from flatline.domain.visibility.source_history import SourceHistory
from flatline.domain.visibility.sources import Freshness, Sources
from flatline.schema.group import GroupKind, GroupVerdict


def explain_history(
    histories: Histories,
    key: bytes,
    policy: Policy,
    *,
    on_day: int,
    links: int,
    watched_since_ms: int = EARLIEST_MS,
) -> Explanation | None:
    """Explain an article at the end of a UTC day; None where nothing of it was known by then.

    Its groups are judged by the articles of the same histories, without what was said of them before.
    """
    article: Article | None = None
    previous: PreviousVerdict | None = None
    changes: list[Change] = []
    visibility = VisibilityHistory(histories.heartbeats, histories.reports, end_day=on_day)
    days = judgements(
        histories.of(key), policy, end_day=on_day, watched_since_ms=watched_since_ms, visibility=visibility
    )
    for day, known, judged in days:
        kinds = sorted(judged.kinds)
        if not changes or changes[-1].said != kinds:
            changes.append(Change(to_datetime(day * DAY_MS).date(), [str(kind) for kind in kinds]))
        article, previous = known, judged.previous_verdict
    if article is None:
        return None
    now_ms = (on_day + 1) * DAY_MS - 1
    group_totals, reputations = GroupTotals(1), DomainReputations()
    reputations.begin(on_day)
    peers = list(_peers(histories, article, reputations, visibility, on_day=on_day, watched_since_ms=watched_since_ms))
    for day in (on_day, on_day + 1):  # what the first round learns is what the second goes by
        for record in survey_round(peers, group_totals, day):
            group_totals.receive(record)
    reputations.begin(on_day + 1)  # what was found is known from now on
    membership = membership_of(article)
    context = ExplanationContext(
        policy,
        visibility=visibility.on(on_day, article.header.sources),
        baseline=group_totals.baseline_of(membership),
        reputation_of=reputations,
        imports=histories.imports,
        events=histories.events,
        freshness=_freshness(histories, article.header.sources, on_day=on_day),
        groups=dict(_verdicts(membership.groups, group_totals, policy, now_ms=now_ms)),
        changes=changes,
    )
    return explain(article, context, previous=previous, now_ms=now_ms, links=links)


def _freshness(histories: Histories, sources: Collection[str], *, on_day: int) -> Mapping[str, Freshness]:
    """Return how fresh sources were at the end of a day, by their heartbeats and reports."""
    known, now_ms = Sources(), (on_day + 1) * DAY_MS - 1
    for heartbeat in sorted(histories.heartbeats, key=lambda each: each.sent_at):
        if to_ms(heartbeat.sent_at) <= now_ms:
            known.receive(heartbeat)
    source_histories = {source: SourceHistory() for source in sources}
    for (source, day), reports in sorted(histories.reports.items(), key=lambda entry: entry[0][1]):
        if source in source_histories and day <= on_day:
            for offset, report in enumerate(reports):
                source_histories[source].observe(report, offset=offset)
    known.learn_habits([source_histories])
    return known.freshness(now_ms)


def _peers(
    histories: Histories,
    article: Article,
    reputations: DomainReputations,
    visibility: VisibilityHistory,
    *,
    on_day: int,
    watched_since_ms: int,
) -> Iterator[group_replay.MemberHistory]:
    """Yield what was known of the articles that share a group with this one, itself included.

    As in the survey, nothing is asked of those that can't be seen, and they teach nothing.
    """
    own = membership_of(article)
    for key in histories.keys:
        if not _may_share_group(own, key, histories.registration_of(key)):
            continue
        peer = _article_on(histories.of(key), on_day)
        reputations.add(peer.segments)
        last_link_day = None if peer.rhythm is None else peer.rhythm.last_day
        if last_link_day is not None and visibility.is_hardly_seen(
            peer.header.sources, last_link_day=last_link_day, day=on_day
        ):
            continue
        registration = peer.header.registration
        yield group_replay.MemberHistory(
            key.decode(),
            peer.totals.days,
            registration.strategy,
            registration.series,
            registration.author,
            registration.published_day,
            day_of(watched_since_ms),
        )


def _may_share_group(own: Membership, key: bytes, registration: Registration) -> bool:
    """Whether an article belongs to the site, strategy, series, author or month of another, by what is registered."""
    if own.site == referring_domain(key.decode()):
        return True
    if registration is UNREGISTERED:
        return False
    other = Membership.of(
        key.decode(),
        strategy=registration.strategy,
        series=registration.series,
        author=registration.author,
        begin_day=registration.published_day,
    )
    return not set(own.groups).isdisjoint(other.groups)


def _article_on(history: History, day: int) -> Article:
    """Return an article as it was at the end of a day."""
    article = history.article()
    article.apply(
        (each for each in history.observations if day_of(each.at_ms) <= day), Counter[tuple[str | None, Effect]]()
    )
    return article


def _verdicts(
    groups: list[Group], group_totals: GroupTotals, policy: Policy, *, now_ms: int
) -> Iterator[tuple[Group, GroupVerdict]]:
    for group in groups:
        total = group_totals.by_group.get(group)
        enough = total is not None and total.sums.articles >= policy.default.group_articles_min
        if total is not None and enough and group.kind is not GroupKind.MONTH:
            verdict = judge_group(
                group, total, previous=None, now_ms=now_ms, thresholds=policy.default, unseen_reason=None
            )
            yield group, msgspec.structs.replace(verdict, states={})  # nobody judged the others
