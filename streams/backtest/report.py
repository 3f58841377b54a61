"""All that a backtest found, as it is shown and as `flatline backtest --json` prints it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from flatline.backtest.assessment import Assessment, TooLittleHistoryError, assess
from flatline.backtest.calibration import Bin, GapCalibration
from flatline.backtest.cases import LINK_DAYS_MIN, cases_of
from flatline.backtest.groups import GroupAlert, group_alerts
from flatline.backtest.histories import UNREGISTERED, Histories, History
from flatline.backtest.performance import FastestAtPrecision, fastest
from flatline.backtest.replay import Alert, Ending, replay
from flatline.backtest.visibility_history import VisibilityHistory
from flatline.domain.policy.policy import Policy
from flatline.domain.time import DAY_MS, EARLIEST_MS, day_of, to_datetime
from flatline.schema.verdict import State

_KNOWN: Final = frozenset({Ending.RIGHT, Ending.WRONG})


class AlertRow(Struct, frozen=True, omit_defaults=True):
    """An alert that would have come."""

    date: str
    article: str
    kind: str
    reason: str
    ending: str | None = None
    delay_days: int | None = None
    probability: float | None = None  # that was said
    taken_over: bool = False  # by the alert on its series, author or strategy, which stood


class GroupAlertRow(Struct, frozen=True):
    """An alert on a group; ``until`` is when it was taken back. The links are those of the ``days`` before it."""

    date: str
    until: str | None
    kind: str
    name: str
    reason: str
    days: int | None
    expected: float | None
    gained: int | None


class SourceAlertRow(Struct, frozen=True, omit_defaults=True):
    """A time for which a source was stale; without an end where it did not report again."""

    source: str
    date: str
    until: str | None = None


class AlertCount(Struct, frozen=True):
    """The alerts of a kind. Precision, what was said and delays are of those on silence whose ending is known."""

    kind: str
    alerts: int
    right: int = 0
    wrong: int = 0
    open: int = 0
    precision: float | None = None
    mean_probability: float | None = None  # that was said; as large as the precision if it is true
    mean_delay_days: float | None = None
    median_delay_days: float | None = None


class BacktestReport(Struct, frozen=True):
    """The object of `--json`. ``fixed_gap`` has days for thresholds, ``precision_delay`` probabilities."""

    precision_delay: list[FastestAtPrecision]
    fixed_gap: list[FastestAtPrecision]
    calibration: list[Bin]
    calibration_by_gap: list[GapCalibration]
    brier: float | None
    horizon_days: int
    base_rate_brier: float | None
    cases: int
    articles: int
    lines: int
    rejected: dict[str, int]
    undated: int
    ignored: int
    suspected: int
    end: str
    source_alerts: list[SourceAlertRow]
    group_alert_count: int
    group_alerts: list[GroupAlertRow]
    alert_counts: list[AlertCount]
    alerts: list[AlertRow]


class Backtest(NamedTuple):
    """What a backtest found."""

    report: BacktestReport
    assessment: Assessment
    histories: Histories


def run(
    histories: Histories, articles: Iterable[History], policy: Policy, *, watched_since_ms: int = EARLIEST_MS
) -> Backtest:
    """Test the model, and replay ``articles``, which are all of the histories. Raise TooLittleHistoryError."""
    end_day = day_of(histories.end_ms)
    visibility = VisibilityHistory(histories.heartbeats, histories.reports, end_day=end_day)
    link_days: list[list[int]] = []
    registered: dict[bytes, History] = {}
    alerts: list[Alert] = []
    count = 0
    for history in articles:
        count += 1
        if history.registration != UNREGISTERED:
            registered[history.key] = history
        if len(history.observations) < min(
            LINK_DAYS_MIN, policy.thresholds_of(history.registration.tier).link_days_min
        ):
            continue  # neither a case nor an alert can come of it; nine of ten addresses are like that
        days = history.link_days()
        link_days.append(days)
        alerts += replay(
            history,
            policy,
            link_days=days,
            end_day=end_day,
            watched_since_ms=watched_since_ms,
            visibility=visibility,
        )
    if not count:
        raise TooLittleHistoryError(f"No link event with a date could be read in {histories.lines:,} lines.")
    assessment = assess(cases_of(link_days, end_day=end_day, horizon_days=policy.hazard.horizon_days), policy.hazard)
    alerts.sort()
    on_groups = group_alerts(
        list(registered.values()),
        policy.thresholds_of(None),
        end_day=end_day,
        watched_since_ms=watched_since_ms,
        visibility=visibility,
    )
    calibration = assessment.calibration
    report = BacktestReport(
        precision_delay=fastest(assessment.ours),
        fixed_gap=fastest(assessment.fixed_gap),
        calibration=calibration.bins if calibration else [],
        calibration_by_gap=calibration.by_gap if calibration else [],
        brier=calibration.brier if calibration else None,
        horizon_days=policy.hazard.horizon_days,
        base_rate_brier=calibration.base_rate_brier if calibration else None,
        cases=assessment.cases,
        articles=count,
        lines=histories.lines,
        rejected={reason.value: count for reason, count in histories.rejected.most_common()},
        undated=histories.undated,
        ignored=histories.ignored,
        suspected=histories.suspected,
        end=_date(end_day),
        source_alerts=[
            SourceAlertRow(
                each.source, _date(each.since_day), None if each.until_day is None else _date(each.until_day)
            )
            for each in visibility.outages()
        ],
        group_alert_count=len(on_groups),
        group_alerts=[_group_row(each) for each in on_groups],
        alert_counts=_counts(alerts),
        alerts=[_row(each, registered.get(each.key), on_groups) for each in alerts],
    )
    return Backtest(report, assessment, histories)


def as_json(report: BacktestReport) -> bytes:
    """Return the report as one line of JSON."""
    return msgspec.json.encode(report) + b"\n"


def _row(alert: Alert, registered: History | None, on_groups: Iterable[GroupAlert]) -> AlertRow:
    is_taken_over = (
        registered is not None
        and alert.kind is State.SILENT
        and any(each.takes_over(registered.registration, alert.day) for each in on_groups)
    )
    return AlertRow(
        _date(alert.day),
        alert.key.decode(),
        alert.kind,
        alert.reason,
        alert.ending,
        alert.delay_days,
        alert.probability,
        taken_over=is_taken_over,
    )


def _group_row(alert: GroupAlert) -> GroupAlertRow:
    verdict = alert.verdict
    return GroupAlertRow(
        _date(alert.day),
        None if alert.until_day is None else _date(alert.until_day),
        verdict.kind,
        verdict.name,
        verdict.reason,
        verdict.stretch_days,
        verdict.stretch.expected if verdict.stretch else None,
        verdict.stretch.gained if verdict.stretch else None,
    )


def _counts(alerts: Sequence[Alert]) -> list[AlertCount]:
    by_kind: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        by_kind[alert.kind].append(alert)
    return [counted(kind, by_kind[kind]) for kind in sorted(by_kind)]


def counted(kind: str, alerts: Sequence[Alert]) -> AlertCount:
    """Return how many alerts of a kind came, and how right and how late they were."""
    endings = Counter(alert.ending for alert in alerts)
    right, wrong = endings[Ending.RIGHT], endings[Ending.WRONG]
    said = [each.probability for each in alerts if each.ending in _KNOWN and each.probability is not None]
    delays = [each.delay_days for each in alerts if each.ending is Ending.RIGHT and each.delay_days is not None]
    return AlertCount(
        kind=kind,
        alerts=len(alerts),
        right=right,
        wrong=wrong,
        open=endings[Ending.OPEN],
        precision=right / (right + wrong) if right + wrong else None,
        mean_probability=fmean(said) if said else None,
        mean_delay_days=fmean(delays) if delays else None,
        median_delay_days=median(delays) if delays else None,
    )


def _date(day: int) -> str:
    return f"{to_datetime(day * DAY_MS):%Y-%m-%d}"
