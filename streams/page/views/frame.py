"""What is around every page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

PAGES: Final = (
    ("/", "Today"),
    ("/articles", "Articles"),
    ("/groups", "Groups"),
    ("/lost", "Lost links"),
    ("/sources", "Sources"),
)


@dataclass(frozen=True)
class Frame:
    """The head and the foot of a page. ``waiting``: a sentence on records that the read model does not hold yet."""

    path: str
    now: datetime
    has_trouble: bool = False
    waiting: str = ""
    query: str = ""
    pages: Sequence[tuple[str, str]] = PAGES
