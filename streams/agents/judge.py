"""Judges articles that changed, and each article once a day."""

from collections.abc import Iterator
from typing import NamedTuple

from flatline.agents.survey import Surveyor
from flatline.domain.alerts import Retirements
from flatline.domain.groups.survey import Survey, contribution, membership_of
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.imports.imports import Imports
from flatline.domain.judgement.judge_article import judge_article
from flatline.domain.judgement.judgement import Judgement
from flatline.domain.judgement.verdict import digest
from flatline.domain.judgement.watch_list import Watched
from flatline.domain.policy.policy import Policy
from flatline.domain.quality.link_value import LinkValue
from flatline.domain.state.addresses import is_there, shown
from flatline.domain.state.article import Article
from flatline.domain.state.moves import Moves
from flatline.domain.time import DAY_MS, day_of
from flatline.domain.visibility.visibility import Visibility
from flatline.engine.log import Outgoing
from flatline.engine.task import Task
from flatline.schema import codec
from flatline.schema.partitioning import partition_of
from flatline.schema.topics import Topics
from flatline.schema.verdict import Verdict


class JudgingContext(NamedTuple):
    """What holds for all articles that are judged at one time: the time, and what sources can see."""

    now_ms: int
    visibility: Visibility


class Judge:
    """Judges the articles of tasks, and has what is new of them said with their next commit."""

    def __init__(
        self,
        *,
        topics: Topics,
        policy: Policy,
        group_totals: GroupTotals,
        surveyor: Surveyor,
        moves: Moves | None = None,
        retirements: Retirements | None = None,
        imports: Imports | None = None,
    ) -> None:
        self._topics = topics
        self._imports = Imports() if imports is None else imports
        self._moves = Moves() if moves is None else moves
        self._retirements = Retirements() if retirements is None else retirements
        self._policy = policy
        self._group_totals = group_totals
        self._surveyor = surveyor

    def judge_due(self, task: Task, context: JudgingContext) -> Iterator[None]:
        """Judge what changed and what is due, an article a step. Stop when there is no more time: the rest waits."""
        now_ms, visibility = context
        due = task.due
        due.note_visibility(visibility)
        task.queue_changes()
        moved = task.addresses.follow(self._moves, task.articles)
        due.put(key for key in moved if key in task.articles or self._is_here(key, task))
        due.put(key for key in due.retirements.new_in(self._retirements.log) if self._is_here(key, task))
        due.reputations.begin(day_of(now_ms))
        survey = self._surveyor.round_of(task, now_ms)
        next_ms = max(now_ms, survey.began_ms) + DAY_MS
        for key in due.due(now_ms):
            article, current = task.articles.peek(key), task.addresses.current(key, self._moves)
            if current == key and (article is None or not article.header.is_copy):
                self._judge(task, key, article, context, survey, next_ms=next_ms)
            else:
                self._leave(task, key, current)
                if current != key and self._is_here(current, task):
                    own = task.articles.peek(current)
                    self._judge(task, current, own, context, survey, next_ms=next_ms)
            yield

    def _is_here(self, key: bytes, task: Task) -> bool:
        return partition_of(key, self._topics.verdicts.partitions) == task.number

    def _leave(self, task: Task, key: bytes, current: bytes) -> None:
        """Say nothing more of an address that moved, and have all that is known of it copied to where it is now."""
        self._forget(task, key)
        article = task.articles.get(key)
        if article is None or article.header.is_copy or article.header.moved_to == current.decode():
            return
        if article.header.moved_to is None:
            self._take_back(task, article)
        article.header.moved_to = current.decode()
        article.mark_changed()
        task.articles.touch(article)

    @staticmethod
    def _forget(task: Task, key: bytes) -> None:
        task.due.forget(key)
        task.candidates.forget(key.decode())

    def _take_back(self, task: Task, article: Article) -> None:
        """Take back what was said of an article, if anything was."""
        if article.header.previous_verdict is not None:
            task.unpublished.append(Outgoing(self._topics.verdicts.name, task.number, article.key, None))

    def _judge(
        self,
        task: Task,
        key: bytes,
        own: Article | None,
        context: JudgingContext,
        survey: Survey,
        *,
        next_ms: int,
    ) -> None:
        """Judge the article with this key, of which ``own`` is what is known of that address itself."""
        now_ms, due = context.now_ms, task.due
        former = [task.articles.peek(each) for each in task.addresses.former(key)]
        parts = [part for part in (own, *former) if part is not None]
        if not parts:
            self._forget(task, key)
            return
        if own is None:
            own = task.articles.create(key, now_ms=now_ms)
        article = shown(key, parts)
        article = article.without_imports(self._imports.instants_of(article.header.sources))
        if not is_there(article, links_bring_back=self._policy.links_bring_back):
            self._forget(task, key)
            self._take_back(task, own)
            if (own.header.previous_verdict, own.header.moved_to) != (None, None):
                own.header.previous_verdict = own.header.moved_to = None
                task.articles.put(own)
            return
        is_first_of_day = due.is_first_of_day(key, now_ms)
        if is_first_of_day:
            due.reputations.add(article.segments)
        is_surveyed = due.was_judged_since(key, survey.began_ms)
        link_value = due.link_values.of(
            article,
            quality_min=self._policy.thresholds_of(article.header.registration.tier).worthy_quality,
            reputation_of=due.reputations,
            may_be_of_today=not is_first_of_day,
        )
        judgement, verdict = self._verdict(task, article, context, link_value, None if is_surveyed else survey)
        due.judged(key, verdict, next_ms=next_ms)
        previous = judgement.as_previous_verdict(digest(verdict))
        if previous != own.header.previous_verdict or own.header.moved_to is not None:
            own.header.previous_verdict, own.header.moved_to = previous, None
            task.articles.put(own)
            task.unpublished.append(
                Outgoing(self._topics.verdicts.name, task.number, key, codec.verdicts.encode(verdict))
            )

    def _verdict(
        self, task: Task, article: Article, context: JudgingContext, link_value: LinkValue, survey: Survey | None
    ) -> tuple[Judgement, Verdict]:
        """Judge an article, and add it to the survey where one is given."""
        now_ms, visibility = context
        retired_ms = self._retirements.retired_ms(article.key)
        rhythm, membership = article.rhythm, membership_of(article)
        expectation, evidence, judgement, verdict = judge_article(
            article,
            visibility,
            link_value=link_value,
            baseline=self._group_totals.baseline_of(membership),
            policy=self._policy,
            previous=article.header.previous_verdict,
            now_ms=now_ms,
            as_of_offset=task.position(self._topics.links.name),
            retired_ms=retired_ms,
        )
        if survey is not None:
            seen = evidence.visibility
            values = contribution(
                expectation if retired_ms is None else None,  # nothing is asked of an article that is retired
                article.totals.days,
                watched_day=day_of(article.header.watched_since_ms),
                last_week=survey.last_week,
                now_ms=now_ms,
                unseen_days=seen.unseen_days if seen.is_hardly_seen else None,
            )
            survey.add(membership, values, verdict.state)
        task.candidates.note(
            Watched(
                verdict,
                usual_gap_days=rhythm.usual_gap_days if rhythm else 0.0,
                days_since_last_link=rhythm.days_since_last_link(day_of(now_ms)) if rhythm else None,
                is_unseen=evidence.visibility.is_unseen or verdict.suppressed,
            )
        )
        return judgement, verdict
