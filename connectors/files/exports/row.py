"""One row of an export: what a tool says of one link, in one form for all tools."""

from datetime import datetime
from enum import Enum
from typing import Literal

from msgspec import Struct

Placement = Literal["content", "comment", "sidebar", "nav", "footer"]


class Statement(Enum):
    """What the tool says of how it met the link; NONE where a row is just one of a snapshot."""

    NONE = "none"
    LINK_FOUND = "link_found"
    PAGE_FOUND = "page_found"
    LINK_RESTORED = "link_restored"


class Row(Struct, gc=False):
    """One link as one row tells it. Instants are in UTC; None is "not said".

    ``rel``      tokens; None where the tool does not know them, which is not "followed"
    ``flags``    as the contract has them (`flatline.schema.link_event`)
    ``is_lost``  with ``lost_at`` None where the tool does not say when
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
    """A row that is no link to an article, and why: a few words that name a kind."""

    why: str
