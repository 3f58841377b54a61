"""What a Slack message of ours says, taken apart again."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final, NamedTuple

from deploy.demo.slack_receiver import Message

# The button of every message leads to the runbook's entry on its alert; names stand between FSI and PDI; what is
# over has no figures behind its name (deploy/alertmanager/slack.tmpl).
_ENTRY: Final = re.compile(r"RUNBOOK\.md#(\w+)$")
_BULLET: Final = re.compile(r"^• \u2068(?P<subject>.*?)\u2069(?P<figures>:)?", re.MULTILINE)


class Notice(NamedTuple):
    """One line of a message: an alert on something, or its end."""

    alert: str  # its name in lower case
    subject: str
    is_over: bool


def alert_of(message: Message) -> str:
    """Return the name, in lower case, of the alert that a message is about."""
    (attachment,) = message.payload["attachments"]
    (alert,) = _ENTRY.findall(attachment["actions"][0]["url"])
    return str(alert)


def notices_in(message: Message) -> Iterator[Notice]:
    """Return what a message says, line by line."""
    alert = alert_of(message)
    for bullet in _BULLET.finditer(message.payload["attachments"][0]["text"]):
        yield Notice(alert, unescape(bullet["subject"]), is_over=bullet["figures"] is None)
