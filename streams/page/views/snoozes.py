"""The page of snoozes: what is silenced, until when and why; and the form that silences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from flatline.domain.snoozes import labels_in, labels_of
from flatline.domain.time import to_ms
from flatline.readmodel.queries.alerts import find_alert
from flatline.readmodel.queries.snoozes import SnoozeRow, list_snoozes

_DAYS: Final = (1, 3, 7, 14, 30, 90)
_USUAL_DAYS: Final = 14


@dataclass(frozen=True)
class SnoozeView:
    """The page. ``labels``: of the alerts that the form is about; without any there is no form."""

    labels: dict[str, str]
    matchers: str
    is_wrong: bool
    days: Sequence[int]
    usual_days: int
    snoozes: Sequence[SnoozeRow]


def snooze_view(connection: Connection, matchers: str, number: str, *, now_ms: int) -> SnoozeView:
    """Return the page, with a form for alerts that match, or for that with an id; ``now_ms``: by the wall clock."""
    labels = labels_in(matchers)
    if number and (alert := find_alert(connection, number)) is not None:
        labels = labels_of(alert.subject, alert.kind)
    return SnoozeView(
        labels=labels,
        matchers=_written(labels),
        is_wrong=bool((matchers or number) and not labels),
        days=_DAYS,
        usual_days=_USUAL_DAYS,
        snoozes=[row for row in list_snoozes(connection) if not row.is_ended and to_ms(row.until) > now_ms],
    )


def _written(labels: dict[str, str]) -> str:
    """Return labels as matchers of Alertmanager."""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
