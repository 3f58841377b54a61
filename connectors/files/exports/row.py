"""A row of an export, in one form for all tools."""

from datetime import datetime
from enum import Enum
from typing import Literal

from msgspec import Struct

Placement = Literal["content", "comment", "sidebar", "nav", "footer"]


class Statement(Enum):
    """How the tool found the link; NONE if the row is only part of a snapshot."""

    NONE = "none"
    LINK_FOUND = "link_found"
    PAGE_FOUND = "page_found"
    LINK_RESTORED = "link_restored"


class Row(Struct, gc=False):
    """A link as one row describes it. Instants are in UTC; None means that the tool does not say.

    ``rel``      tokens; None if the tool does not report them, which does not mean that the link is followed
    ``flags``    as in `flatline.schema.link_event`
    ``is_lost``  ``lost_at`` is None if the tool does not say when
    """

    url_from: str
    url_to: str
    anchor: str = ""
    anchor_is_alt: bool = False
    context: str = ""
    rel: frozenset[str] | None = None
    placement: Placement | None = None
    title: str = ""
    author: str = ""
    page_type: str = ""
    language: str = ""
    published_at: datetime | None = None
    authority: float | None = None
    statement: Statement = Statement.NONE
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    is_lost: bool = False
    lost_at: datetime | None = None
    lost_reason: str = ""
    flags: frozenset[str] = frozenset()


class Skipped(Struct, frozen=True):
    """A row that is no link to an article; the message says why, in a few words that are the same for all such rows."""

    why: str
