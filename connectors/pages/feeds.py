"""RSS and Atom as feedparser reads them."""

from calendar import timegm
from datetime import datetime
from io import BytesIO
from typing import Any

import feedparser

from flatline.domain.time import to_datetime


class NoFeed(Exception):
    """A document is neither RSS nor Atom."""


def read_feed(body: bytes, url: str) -> Any:
    """Return what feedparser makes of a feed that was found at ``url``. Raise `NoFeed`."""
    # A file object, as feedparser takes bytes for the name of a file, too.
    try:
        feed: Any = feedparser.parse(BytesIO(body), response_headers={"content-location": url})
    except Exception as error:  # a foreign document in a foreign parser: an encoding's name with a NUL is a ValueError
        raise NoFeed(f"it can't be read: {error}") from error
    if not feed.get("version"):  # of nothing, feedparser returns nothing
        raise NoFeed("it is neither RSS nor Atom")
    return feed


def instant(parsed: Any) -> datetime | None:
    """Return feedparser's time in UTC as an instant; None for none."""
    try:
        return to_datetime(timegm(parsed) * 1_000) if parsed else None
    except (ValueError, OverflowError):
        return None
