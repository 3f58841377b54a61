"""The page of what happens, the newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from flatline.readmodel.queries.articles import titles_of
from flatline.readmodel.queries.others import happened_since
from flatline.readmodel.queries.views import LiveEvent

ROWS: Final = 100
CHOICES: Final = {
    "": "All",
    "link": "Links",
    "verdict": "Verdicts",
    "group": "Verdicts on groups",
    "dead_letter": "Records that could not be read",
}


@dataclass(frozen=True)
class LiveView:
    """The page. ``titles``: of articles that have one, by their addresses."""

    events: Sequence[LiveEvent]
    titles: Mapping[str, str]
    kind: str
    choices: Mapping[str, str]


def live_view(connection: Connection, query: Mapping[str, str]) -> LiveView:
    """Return the newest of what happened, of one kind where a query names one."""
    asked = query.get("kind", "")
    kind = asked if asked in CHOICES else ""
    happened, _ = happened_since(connection, last_id=None)
    events = [event for event in reversed(happened) if kind in ("", event.kind)][:ROWS]
    titles = titles_of(connection, {event.article for event in events if event.article})
    return LiveView(events, titles, kind, CHOICES)
