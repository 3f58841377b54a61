"""Turns links of an export into link events: one gain, and a loss if the tool says that the link is lost."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from flatline.schema.limits import NAME_CHARACTERS_MAX, TEXT_CHARACTERS_MAX, TITLE_CHARACTERS_MAX, TOKEN_CHARACTERS_MAX
from flatline.schema.link_event import LinkEvent, Page
from flatline_connectors.files.exports.row import Row, Statement
from flatline_connectors.rel import bounded_rel

_DISCOVERY: Final[dict[Statement, Literal["link_found", "page_found", "import"]]] = {
    Statement.NONE: "import",
    Statement.LINK_FOUND: "link_found",
    Statement.PAGE_FOUND: "page_found",
    Statement.LINK_RESTORED: "link_found",
}


def events_of(row: Row, *, source: str, exported_at: datetime, history_before: datetime | None) -> Iterator[LinkEvent]:
    """Yield the events of a link.

    "First seen" is when the tool saw it, so it becomes ``observed_at``. A link first seen before ``history_before`` is
    history, whatever the tool says: its discovery is ``import``.
    """
    first_seen = row.first_seen or exported_at
    is_history = history_before is not None and first_seen < history_before
    discovery = "import" if is_history else _DISCOVERY[row.statement]
    is_restored = row.statement is Statement.LINK_RESTORED and row.last_seen is not None
    is_dated = row.statement is Statement.PAGE_FOUND and row.published_at is not None and row.published_at <= first_seen
    said: dict[str, Any] = {
        "url_from": row.url_from,
        "url_to": row.url_to,
        "discovery": discovery,
        "source": source,
        "authority": row.authority,
    }
    yield LinkEvent(
        **said,
        occurred_at=row.published_at if is_dated else None,
        observed_at=min(row.last_seen, exported_at) if is_restored and row.last_seen else min(first_seen, exported_at),
        anchor=row.anchor[:TEXT_CHARACTERS_MAX] or None,
        context=row.context[:TEXT_CHARACTERS_MAX] or None,
        rel=None if row.rel is None else bounded_rel(row.rel),
        placement=row.placement,
        page=_page(row),
        flags=sorted(row.flags),
    )
    if row.is_lost:
        yield LinkEvent(
            **said,
            change="lost",
            observed_at=min(row.lost_at or exported_at, exported_at),
            lost_reason=row.lost_reason[:NAME_CHARACTERS_MAX] or None,
        )


def _page(row: Row) -> Page | None:
    page = Page(
        title=row.title[:TITLE_CHARACTERS_MAX] or None,
        author=row.author[:NAME_CHARACTERS_MAX] or None,
        published_at=row.published_at,
        type=row.page_type[:NAME_CHARACTERS_MAX] or None,
        language=row.language[:TOKEN_CHARACTERS_MAX] or None,
    )
    return page if any(msgspec.structs.astuple(page)) else None
