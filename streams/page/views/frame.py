"""What is around every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

PAGES: Final = (
    ("/", "Today"),
    ("/articles", "Articles"),
    ("/groups", "Groups"),
    ("/peers", "Peers"),
    ("/alerts", "Alerts"),
    ("/lost", "Lost links"),
    ("/sources", "Sources"),
    ("/policy", "Policy lab"),
    ("/live", "Live"),
)


@dataclass(frozen=True)
class Frame:
    """The head and the foot of a page. ``waiting``: a sentence on records that the read model does not hold yet.

    ``form_token``: for forms that write; empty where none may. ``here``: the path with its query.
    """

    path: str
    now: datetime
    has_trouble: bool = False
    waiting: str = ""
    query: str = ""
    form_token: str = ""
    here: str = "/"
    pages: Sequence[tuple[str, str]] = PAGES
