"""Merges rows of one link, such as text and image: it is live if any of them is, and followed if any is."""

from datetime import datetime
from typing import Final

import msgspec

from flatline_connectors.files.exports.row import Row, Statement

_PLACEMENTS_BEST_FIRST: Final = ("content", "comment", "sidebar", "nav", "footer")
_STATEMENTS_FIRST: Final = (Statement.LINK_FOUND, Statement.LINK_RESTORED, Statement.PAGE_FOUND, Statement.NONE)


def merged(one: Row, other: Row) -> Row:
    """Return what two rows of one link say together. For more than two, the order does not matter."""
    is_lost = one.is_lost and other.is_lost
    anchored = min((one, other), key=lambda row: (row.anchor == "", row.anchor_is_alt, row.anchor))
    lost = max((one, other), key=lambda row: (row.lost_at is not None, row.lost_at or datetime.min))  # noqa: DTZ901
    rel = (
        one.rel & other.rel
        if one.rel is not None and other.rel is not None
        else (one.rel if other.rel is None else other.rel)
    )
    return msgspec.structs.replace(
        one,
        anchor=anchored.anchor,
        anchor_is_alt=anchored.anchor_is_alt,
        context=anchored.context or one.context or other.context,
        rel=rel,
        placement=next((place for place in _PLACEMENTS_BEST_FIRST if place in (one.placement, other.placement)), None),
        title=one.title or other.title,
        author=one.author or other.author,
        page_type=one.page_type or other.page_type,
        language=one.language or other.language,
        published_at=one.published_at or other.published_at,
        authority=max((score for score in (one.authority, other.authority) if score is not None), default=None),
        statement=min(one.statement, other.statement, key=_STATEMENTS_FIRST.index),
        first_seen=min((seen for seen in (one.first_seen, other.first_seen) if seen), default=None),
        last_seen=max((seen for seen in (one.last_seen, other.last_seen) if seen), default=None),
        is_lost=is_lost,
        lost_at=lost.lost_at if is_lost else None,
        lost_reason=lost.lost_reason if is_lost else "",
        flags=one.flags & other.flags,
    )
