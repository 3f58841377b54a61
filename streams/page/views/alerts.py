"""Alerts with what people say of them: their own page, and beside what alerted on others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from flatline.domain.alerts import alerts_of, alerts_of_group
from flatline.page.rendering import article_path, with_query
from flatline.page.views.pages_of_lists import page_or_first
from flatline.readmodel.queries.alerts import AlertFilter, find_alerts, list_alerts
from flatline.readmodel.queries.precision import came_true_sentence, marked_sentence, measured_precision
from flatline.readmodel.queries.views import AlertRow
from flatline.schema.alert_mark import AlertKind
from flatline.schema.group import GroupKind, GroupVerdict
from flatline.schema.verdict import Verdict

_ROWS: Final = 50
_CHOICES: Final = {
    "all": "All alerts",
    "unmarked": "Nobody has marked",
    "right": "Marked right",
    "expected": "Marked expected",
    "wrong": "Marked wrong",
}
_MARKS: Final = {"unmarked": "none", "right": "right", "expected": "expected", "wrong": "wrong"}


@dataclass(frozen=True)
class ShownAlert:
    """An alert as the table shows it. ``path``: of the article or of the group's articles."""

    row: AlertRow
    name: str
    path: str


@dataclass(frozen=True)
class AlertsView:
    """The page. ``came_true`` and ``marked``: how right we were, in sentences that say what they count."""

    alerts: Sequence[ShownAlert]
    choices: Mapping[str, str]
    show: str
    next_path: str | None
    csv_path: str
    came_true: str
    marked: str
    here: str


def alerts_view(connection: Connection, query: Mapping[str, str], *, now_ms: int) -> AlertsView:
    """Return the page: the newest first."""
    show = query.get("show", "all") if query.get("show") in _CHOICES else "all"
    mark = _MARKS.get(show)
    chosen = AlertFilter(mark=[] if mark is None else [mark])  # type: ignore[list-item] # one of those, by _MARKS
    page = page_or_first(lambda after: list_alerts(connection, chosen, cursor=after, limit=_ROWS), query.get("after"))
    precision = measured_precision(connection, now_ms=now_ms)
    return AlertsView(
        alerts=[_shown(row) for row in page.rows],
        choices=_CHOICES,
        show=show,
        next_path=with_query("/alerts", show=show, after=page.next) if page.next else None,
        csv_path=with_query("/api/v1/alerts", mark=mark, format="csv"),
        came_true=came_true_sentence(precision),
        marked=marked_sentence(precision),
        here=with_query("/alerts", show=show),
    )


def alerts_beside(connection: Connection, verdicts: Sequence[Verdict | GroupVerdict]) -> dict[str, list[AlertRow]]:
    """Return by subject the alerts that verdicts raise now, as far as they are known."""
    raised = [
        alert
        for verdict in verdicts
        for alert in (alerts_of_group(verdict) if isinstance(verdict, GroupVerdict) else alerts_of(verdict))
    ]
    known = {row.id: row for row in find_alerts(connection, [alert.id for alert in raised])}
    found: dict[str, list[AlertRow]] = {}
    for alert in raised:
        if alert.id in known:
            found.setdefault(alert.subject, []).append(known[alert.id])
    return found


def _shown(row: AlertRow) -> ShownAlert:
    if row.kind is not AlertKind.UNDER_CURVE:
        return ShownAlert(row, row.title or row.subject.removeprefix("https://"), article_path(row.subject))
    kind, _, name = row.subject.partition("/")
    path = with_query("/articles", **{kind: name}) if kind in set(GroupKind) else "/groups"
    return ShownAlert(row, name, path)
