"""Tries thresholds on the last two years: the alerts on silence that they would have caused, beside those in force."""

from collections.abc import Mapping, Sequence
from datetime import date
from threading import Lock
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import Connection, select

from flatline.backtest.performance import FastestAtPrecision
from flatline.backtest.replay import Alert, Ending
from flatline.backtest.report import AlertCount, counted
from flatline.backtest.silences import fastest_gap, silences
from flatline.domain.learned.hazard import Hazard
from flatline.domain.policy.thresholds import Score
from flatline.domain.time import DAY_MS, day_of, to_datetime
from flatline.policy_file import PolicyFile, thresholds_in
from flatline.policy_text import text_of
from flatline.readmodel.queries.link_days import ArticleLinkDays, link_days_of_articles
from flatline.readmodel.tables import positions
from flatline.schema.verdict import State

WINDOW_DAYS: Final = 730
SHOWN_MAX: Final = 1_000
_KEPT_MAX: Final = 64
_Positions = tuple[tuple[str, int, int], ...]


class ThresholdsMoved(Struct, frozen=True, forbid_unknown_fields=True):
    """Thresholds of a trial; null: as in the policy in force."""

    silent_score: Annotated[Score | None, Meta(description="Silence score from which an article is silent")] = None
    silent_gaps: Annotated[
        Annotated[float, Meta(ge=0.1, le=100)] | None,
        Meta(description="A silent article's gap must be at least this many of its mean gaps"),
    ] = None
    link_days_min: Annotated[
        Annotated[int, Meta(ge=2, le=1_000)] | None,
        Meta(description="Days with a new link that are required before an article is judged"),
    ] = None


class TrialAlert(Struct, frozen=True):
    """An alert that an article is silent, as it would have come."""

    alerted_on: date
    delay_days: Annotated[int, Meta(description="Since the last link")]
    probability: Annotated[float, Meta(description="That no link comes within the horizon, as it would have said")]
    ending: Annotated[Ending, Meta(description="open: the horizon is not over")]


class SilentPause(Struct, frozen=True):
    """A pause of an article in which an alert would have come: by the thresholds of the trial, by those in force."""

    article: str
    title: str | None
    last_gained_on: date
    tried: TrialAlert | None
    in_force: TrialAlert | None


class PolicyTrial(Struct, frozen=True):
    """What thresholds would have done from `since` to `until`. An alert is right if no link came within the horizon.

    It is as if all sources had seen everything, and no group's alert had taken over those of its articles.
    """

    since: date
    until: date
    horizon_days: int
    articles: Annotated[int, Meta(description="That have enough links to be judged")]
    silent_score: float
    silent_gaps: float
    link_days_min: int
    tried: AlertCount
    in_force: AlertCount
    fixed_gap: Annotated[
        FastestAtPrecision | None,
        Meta(description="The fastest fixed gap (`threshold`, in days) at the trial's precision, over the same pauses"),
    ]
    pauses: Annotated[list[SilentPause], Meta(description=f"The newest alerts first; {SHOWN_MAX:,} at most")]
    pauses_left_out: int
    policy: Annotated[str, Meta(description="The policy in force with these thresholds, as a file")]


class _Known(NamedTuple):
    """What was read of articles, and at which positions of the topics."""

    positions: _Positions
    links_min: int
    end_day: int
    articles: Sequence[ArticleLinkDays]


class PolicyLab:
    """Tries thresholds beside those of a policy file. For any thread.

    Trials are kept until the tables change, or the day does.
    """

    def __init__(self, file: PolicyFile, hazard: Hazard) -> None:
        self._file = file
        self._hazard = hazard
        self._lock = Lock()
        self._known: _Known | None = None
        self._in_force: list[Alert] = []
        self._trials: dict[ThresholdsMoved, PolicyTrial] = {}

    @property
    def in_force(self) -> ThresholdsMoved:
        """The thresholds in force, of those that can be moved."""
        judgement = self._file.judgement
        return ThresholdsMoved(judgement.silent_score, judgement.silent_gaps, judgement.link_days_min)

    def file_with(self, moved: ThresholdsMoved) -> PolicyFile:
        """Return the policy with thresholds moved. Raises ValueError where they are in the wrong order."""
        said = {name: value for name, value in msgspec.structs.asdict(moved).items() if value is not None}
        file = msgspec.structs.replace(self._file, judgement=msgspec.structs.replace(self._file.judgement, **said))
        for tier in (None, *map(int, file.tiers)):
            thresholds_in(file, tier)
        return file

    def trial(self, connection: Connection, moved: ThresholdsMoved, *, now_ms: int) -> PolicyTrial:
        """Return what thresholds would have done up to the day before ``now_ms``.

        Raises ValueError where the thresholds are in the wrong order.
        """
        file = self.file_with(moved)
        with self._lock:
            known = self._read(connection, file, end_day=day_of(now_ms) - 1)
            if moved not in self._trials:
                if len(self._trials) >= _KEPT_MAX:
                    self._trials.clear()
                self._trials[moved] = self._tried(known, file)
            return self._trials[moved]

    def _read(self, connection: Connection, file: PolicyFile, *, end_day: int) -> _Known:
        columns = positions.c
        at = tuple(
            (topic, partition, offset)
            for topic, partition, offset in connection.execute(
                select(columns.topic, columns.partition, columns.next_offset).order_by(columns.topic, columns.partition)
            )
        )
        links_min = min(
            thresholds_in(each, tier).link_days_min
            for each in (file, self._file)
            for tier in (None, *map(int, each.tiers))
        )
        known = self._known
        if known is None or (known.positions, known.end_day) != (at, end_day) or known.links_min > links_min:
            found = link_days_of_articles(connection, links_min=links_min, until_day=end_day)
            known = self._known = _Known(at, links_min, end_day, found)
            self._in_force = self._silences(known, self._file)
            self._trials.clear()
        return known

    def _tried(self, known: _Known, file: PolicyFile) -> PolicyTrial:
        begin_day, end_day = known.end_day + 1 - WINDOW_DAYS, known.end_day
        in_force = self._in_force
        tried = in_force if file == self._file else self._silences(known, file)
        count = counted(State.SILENT, tried)
        judgement = file.judgement
        gap = None
        if count.precision:
            gap = fastest_gap(
                (each.days for each in known.articles),
                link_days_min=judgement.link_days_min,
                precision=count.precision,
                begin_day=begin_day,
                end_day=end_day,
                horizon_days=self._hazard.horizon_days,
            )
        pauses = _pauses(tried, in_force, {each.key: each.title for each in known.articles})
        return PolicyTrial(
            since=_date(begin_day),
            until=_date(end_day),
            horizon_days=self._hazard.horizon_days,
            articles=sum(len(each.days) >= thresholds_in(file, each.tier).link_days_min for each in known.articles),
            silent_score=judgement.silent_score,
            silent_gaps=judgement.silent_gaps,
            link_days_min=judgement.link_days_min,
            tried=count,
            in_force=counted(State.SILENT, in_force),
            fixed_gap=gap,
            pauses=pauses[:SHOWN_MAX],
            pauses_left_out=max(0, len(pauses) - SHOWN_MAX),
            policy=text_of(file),
        )

    def _silences(self, known: _Known, file: PolicyFile) -> list[Alert]:
        by_tier = {tier: thresholds_in(file, tier) for tier in {each.tier for each in known.articles}}
        begin_day, end_day = known.end_day + 1 - WINDOW_DAYS, known.end_day
        return [
            alert
            for each in known.articles
            for alert in silences(
                each.key.encode(),
                each.days,
                by_tier[each.tier],
                self._hazard,
                begin_day=begin_day,
                end_day=end_day,
            )
        ]


def _pauses(tried: Sequence[Alert], in_force: Sequence[Alert], titles: Mapping[str, str | None]) -> list[SilentPause]:
    """Return the pauses of both, the newest alerts first."""
    alerts: dict[tuple[str, int], dict[str, Any]] = {}
    for name, found in (("tried", tried), ("in_force", in_force)):
        for alert in found:
            assert alert.delay_days is not None
            alerts.setdefault((alert.key.decode(), alert.day - alert.delay_days), {})[name] = _alert(alert)
    pauses = [
        SilentPause(article, titles[article], _date(last_day), each.get("tried"), each.get("in_force"))
        for (article, last_day), each in alerts.items()
    ]
    return sorted(pauses, key=lambda pause: (-max(_days(pause)), pause.article))


def _days(pause: SilentPause) -> list[int]:
    return [each.alerted_on.toordinal() for each in (pause.tried, pause.in_force) if each is not None]


def _alert(alert: Alert) -> TrialAlert:
    assert alert.delay_days is not None
    assert alert.probability is not None
    assert alert.ending is not None
    return TrialAlert(_date(alert.day), alert.delay_days, alert.probability, alert.ending)


def _date(day: int) -> date:
    return to_datetime(day * DAY_MS).date()
