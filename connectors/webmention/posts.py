"""What is known of a post that mentions an article, by whatever way its Webmention came."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from flatline.domain.time import EARLIEST
from flatline_connectors.pages.links import resolved
from flatline_connectors.sites import is_within

BRIDGES: Final = ("brid.gy",)
"""Hosts whose pages stand for likes and reposts elsewhere, and are no pages that a reader meets."""
META_FLAG: Final = "meta"
"""The flag of links on such pages."""
_RECENT: Final = timedelta(days=30)


class PostDates(NamedTuple):
    """When a post was published, and when its link appeared: at the same time, unless it is an old post."""

    published_at: datetime | None
    occurred_at: datetime | None


def dates_of(stated_at: datetime | None, *, received_at: datetime) -> PostDates:
    """Return the dates of a post that says so; what can't be says nothing."""
    if stated_at is None or not EARLIEST <= stated_at <= received_at:
        return PostDates(None, None)
    return PostDates(stated_at, stated_at if received_at - stated_at <= _RECENT else None)


def is_on_bridge(address: str, bridges: Collection[str] = BRIDGES) -> bool:
    """Whether an address is on one of these hosts, or on a subdomain of one."""
    url = resolved(address, None)
    return url is not None and is_within(url.split("/")[2].partition(":")[0], bridges)
