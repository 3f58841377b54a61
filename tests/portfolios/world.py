"""A small world with a known truth: articles gain links, sources report them or don't, the worker's own code judges.

Everything from the bytes of an event to the verdict is the code that runs live; only Kafka is left out. Days are
counted from the beginning of the story.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from flatline.agents.judge import Judge
from flatline.agents.links import LinkAgent
from flatline.agents.survey import GroupVerdicts, Surveyor
from flatline.domain.groups.totals import GroupTotals
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, to_datetime
from flatline.domain.visibility.sources import Sources
from flatline.engine.log import MicroBatch
from flatline.metrics import WorkerMetrics
from flatline.schema import codec
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.link_event import LinkEvent
from flatline.schema.topics import Topics
from flatline.schema.verdict import State, Verdict
from tests.agents.judging import judge_all
from tests.engine.stand_ins import StandInChangelog, running_task

BEGIN = 20_000  # UTC day of the story's day 0
HOUR_MS = DAY_MS // 24
TOPICS = Topics(partitions=1)


class Source(NamedTuple):
    """A connector. While it is away it reports nothing and sends no heartbeat; then it reports what it missed.

    ``heartbeat_days`` is the period of its heartbeats, None for one that sends none. It reports ``lag_days`` late, and,
    unless ``is_dated``, does not know when a link appeared.
    """

    name: str = "crawler"
    away: range = range(0)
    heartbeat_days: float | None = None
    lag_days: int = 0
    is_dated: bool = True

    def reports_on(self, day: int) -> int:
        """Return the day on which it reports what happened on a day."""
        day += self.lag_days
        return self.away.stop if day in self.away else day


class Link(NamedTuple):
    """What truly happens to a link on a day; ``reported`` where that is another day than the source's usual one."""

    article: str
    day: int
    page: str = ""
    source: Source = Source()
    change: str = "gained"
    discovery: str = "link_found"
    reported: int | None = None
    lost_reason: str | None = None
    flags: tuple[str, ...] = ()


class Record(NamedTuple):
    """A record as Kafka would give it."""

    offset: int
    timestamp: int
    value: bytes
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Clock:
    """One that is set."""

    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        """Return what it was set to."""
        return self.ms


class Lives(dict[str, list[Verdict]]):
    """The verdicts that stood at the end of each day, by article."""

    def states(self, article: str, days: slice = slice(None)) -> list[State]:
        """Return the states that an article went through, each once as long as it lasted."""
        return [state for state, _ in groupby(verdict.state for verdict in self[article][days])]

    def day_of(self, article: str, state: State) -> int:
        """Return the first day on which an article is in a state."""
        return [verdict.state for verdict in self[article]].index(state)

    def those(self, state: State, days: slice = slice(None)) -> set[str]:
        """Return the articles that are ever in a state."""
        return {article for article in self if any(verdict.state is state for verdict in self[article][days])}


class World:
    """What is to happen, played day by day."""

    def __init__(
        self, links: Iterable[Link], *, sources: Iterable[Source] = (), restarts: frozenset[int] = frozenset()
    ) -> None:
        """On the days of ``restarts`` the worker starts anew with what its changelog holds."""
        self._reports = sorted(
            ((link.source.reports_on(link.day) if link.reported is None else link.reported, link) for link in links),
            key=lambda report: report[0],
        )
        self._all_sources = list(sources)
        self._restarts = restarts
        self._clock = Clock()
        self._link_agent = LinkAgent(topics=TOPICS, metrics=WorkerMetrics(CollectorRegistry()))
        self._changelog: dict[bytes, bytes] = {}
        self._heartbeats: dict[str, Heartbeat] = {}
        self._offset = 0
        self.stale: list[frozenset[str]] = []  # by day
        self._start()

    def _start(self) -> None:
        """Become a worker that knows what the changelog and the topic of heartbeats hold."""
        changelog = StandInChangelog(self._changelog)
        self._task = running_task(changelog)
        self._sources = Sources()
        for heartbeat in self._heartbeats.values():
            self._sources.receive(heartbeat)
        policy, group_totals = Policy(), GroupTotals(TOPICS.links.partitions)
        self._surveyor = Surveyor(
            topics=TOPICS, thresholds=policy.default, group_totals=group_totals, groups=GroupVerdicts()
        )
        self._judge = Judge(topics=TOPICS, policy=policy, group_totals=group_totals, surveyor=self._surveyor)

    def play(self, *, days: int) -> Lives:
        """Return how the articles that are known on the first day fared."""
        verdicts: dict[str, Verdict] = {}
        lives = Lives()
        for day in range(days):
            if day in self._restarts:
                self._start()
            # A heartbeat may well arrive, and be judged by, before what it says was seen.
            self._clock.ms = (BEGIN + day) * DAY_MS + 6 * HOUR_MS
            for source in self._all_sources:
                if source.heartbeat_days is not None and day not in source.away:
                    now = to_datetime(self._clock.ms)
                    period_s = source.heartbeat_days * 86_400
                    heartbeat = Heartbeat(source.name, sent_at=now, seen_until=now, period_s=period_s)
                    self._heartbeats[source.name] = heartbeat
                    self._sources.receive(heartbeat)
            self._judge_due(verdicts)
            self._clock.ms += 12 * HOUR_MS
            self._take(day)
            self._judge_due(verdicts)
            self.stale.append(self._sources.stale(self._clock.ms))
            for article, verdict in verdicts.items():
                lives.setdefault(article, []).append(verdict)
        return lives

    def _take(self, day: int) -> None:
        """Apply what is reported until the evening of a day."""
        records = []
        while self._reports and self._reports[0][0] <= day:
            records.append(self.record_of(*self._reports.pop(0)))
        if records:
            batch = MicroBatch(TOPICS.links.name, 0, records)
            self._link_agent.apply(batch, self._task.articles, now_ms=self._clock.ms)

    def record_of(self, reported: int, link: Link) -> Record:
        """Return the record in which a link is reported on a day."""
        # Whatever is older than the story is reported in its first hours.
        recorded_ms = (BEGIN + max(reported, 0)) * DAY_MS + 12 * HOUR_MS
        occurred_ms = (BEGIN + link.day) * DAY_MS + 8 * HOUR_MS
        page = link.page or f"https://{link.source.name}-{link.day}.example/{link.article}"
        event = LinkEvent(
            url_from=page,
            url_to=f"https://yours.example/{link.article}",
            change=link.change,  # type: ignore[arg-type]
            discovery=link.discovery,  # type: ignore[arg-type]
            lost_reason=link.lost_reason,
            flags=list(link.flags),
            occurred_at=to_datetime(occurred_ms) if link.source.is_dated else None,
            observed_at=to_datetime((BEGIN + reported) * DAY_MS + 12 * HOUR_MS),
            source=link.source.name,
        )
        self._offset += 1
        return Record(self._offset, recorded_ms, codec.links.encode(event))

    def _judge_due(self, verdicts: dict[str, Verdict]) -> None:
        now_ms = self._clock.ms
        self._sources.learn_habits([self._task.articles.source_histories])
        visibility = self._sources.visibility(now_ms)
        for outgoing in judge_all(self._task, self._judge, self._surveyor, now_ms=now_ms, visibility=visibility):
            if outgoing.topic != TOPICS.verdicts.name:
                continue  # of groups
            verdict = codec.verdicts.decode(outgoing.value)
            verdicts[verdict.article.removeprefix("https://yours.example/")] = verdict
        self._changelog.update(self._task.articles.take_changes())
