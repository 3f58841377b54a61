"""Finds alerts that are firing but have not been sent to Slack yet."""

import http.client
from collections.abc import Callable, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, Final

import orjson

from flatline.demo.http_client import get
from flatline.demo.notices import alert_of, notices_in, shows_all
from flatline.demo.slack_receiver import Message
from flatline.domain.time import to_ms

_ACTIVE: Final = "/api/v2/alerts?active=true&silenced=false&inhibited=false"
# They send at once; a digest waits for its time.
_RECEIVERS: Final = frozenset({"slack-articles", "slack-good-news", "slack-pipeline"})
# What Slack shows of a name may differ from it: nothing is waited for longer.
_PATIENCE_S: Final = 30.0


class UnnotifiedAlerts:
    """Asks Alertmanager which alerts it has not sent yet. The clock of a demo has to stand still while there are any.

    Alertmanager never sends an alert that ends before it was sent.
    """

    def __init__(self, alertmanager: str, messages: Callable[[], Sequence[Message]]) -> None:
        """``alertmanager`` is host:port; ``messages`` returns all that Slack has got."""
        self._alertmanager = alertmanager
        self._messages = messages
        self._since_s: dict[str, float] = {}

    def are_left(self) -> bool:
        """Whether there are any. If Alertmanager does not answer, there may be."""
        try:
            alerts = orjson.loads(get(self._alertmanager, _ACTIVE))
        except (OSError, http.client.HTTPException):
            return True
        messages = self._messages()
        unnotified = {
            alert["fingerprint"]
            for alert in alerts
            if _is_notified_at_once(alert) and not _is_notified(alert, messages)
        }
        now_s = monotonic()
        self._since_s = {each: self._since_s.get(each, now_s) for each in unnotified}
        return any(now_s - since_s < _PATIENCE_S for since_s in self._since_s.values())


def _is_notified_at_once(alert: dict[str, Any]) -> bool:
    return not _RECEIVERS.isdisjoint(receiver["name"] for receiver in alert["receivers"])


def _is_notified(alert: dict[str, Any], messages: Sequence[Message]) -> bool:
    name, subject = alert["labels"]["alertname"].lower(), alert["annotations"].get("subject")
    fired_ms = to_ms(datetime.fromisoformat(alert["startsAt"]))
    return any(
        message.arrived_ms >= fired_ms
        and alert_of(message) == name
        and (not shows_all(message) or any(notice.subject == subject for notice in notices_in(message)))
        for message in reversed(messages)
    )
