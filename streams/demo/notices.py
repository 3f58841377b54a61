"""Parses our own Slack messages."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Final, NamedTuple

from flatline.demo.slack_receiver import Message

# A button of every message leads to the runbook: to the entry on its alert, or, of a digest, to no single one. Names
# stand between FSI and PDI; for what is over, no colon follows them (deploy/alertmanager/slack).
_ENTRY: Final = re.compile(r"/runbook(?:#(\w+))?$")
_BULLET: Final = re.compile(r"^• \u2068(?P<subject>.*?)\u2069(?P<figures>:)?", re.MULTILINE)
_MORE: Final = re.compile(r"^… and \d+ more$", re.MULTILINE)
DIGEST: Final = "digest"


class Notice(NamedTuple):
    """One line of a message: an alert on something, or its end."""

    alert: str  # its name in lower case
    subject: str
    is_over: bool


def alert_of(message: Message) -> str:
    """Return the name, in lower case, of the alert that a message is about; DIGEST if it is one of several."""
    (attachment,) = message.payload["attachments"]
    if attachment["title"].startswith("Daily digest"):
        return DIGEST
    (alert,) = (found[1] for action in attachment["actions"] if (found := _ENTRY.search(action["url"])))
    return str(alert)


def shows_all(message: Message) -> bool:
    """Whether a message has a line for each alert that it is about."""
    return not _MORE.search(message.payload["attachments"][0]["text"])


def notices_in(message: Message) -> Iterator[Notice]:
    """Return the notices of a message, one for each line."""
    alert = alert_of(message)
    for bullet in _BULLET.finditer(message.payload["attachments"][0]["text"]):
        yield Notice(alert, unescape(bullet["subject"]), is_over=bullet["figures"] is None)
