"""What Ahrefs is asked for, and what that costs. Its documentation is the source of all figures here."""

from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlencode

import msgspec

from flatline_connectors.vendors.passes import Wanted

UNITS_MIN: Final = 50
"""What a request costs at least."""

# Each costs a unit a row. Rows of others (traffic, refdomains_source) cost five or ten.
FIELDS: Final = (
    "url_from",
    "url_to",
    "title",
    "anchor",
    "alt",
    "snippet_left",
    "snippet_right",
    "first_seen",
    "first_seen_link",
    "last_visited",
    "last_seen",
    "is_lost",
    "discovered_status",
    "lost_reason",
    "drop_reason",
    "is_nofollow",
    "is_ugc",
    "is_sponsored",
    "is_content",
    "is_spam",
    "link_type",
    "domain_rating_source",
    "languages",
    "source_page_author",
    "source_page_publish_date",
    "page_type_source",
    "link_group_count",
    "url_redirect",
)
_HISTORY_BEFORE: Final = timedelta(days=7)

Mode = Literal["exact", "prefix", "domain", "subdomains"]

SORTED_BY: Final[dict[Wanted, str]] = {"links": "first_seen_link", "losses": "last_seen"}
"""Ahrefs has no cursor. Of a lost link, ``last_seen`` is when the loss was discovered."""


def units_of(rows: int) -> int:
    """Return the units that an answer with so many rows costs."""
    return max(UNITS_MIN, rows * len(FIELDS))


def query_of(target: str, mode: Mode, wanted: Wanted, *, since: datetime, rows: int) -> str:
    """Return the query that asks for what was seen from ``since`` on, the oldest first, up to so many rows.

    ``aggregation`` is all: otherwise similar links of a site are one row, and the others are missing.
    """
    column = SORTED_BY[wanted]
    conditions = [{"field": column, "is": ["gte", f"{since:%Y-%m-%dT%H:%M:%SZ}"]}]
    if wanted == "losses":
        conditions.append({"field": "is_lost", "is": ["eq", True]})  # type: ignore[list-item]
    return urlencode(
        {
            "target": target,
            "mode": mode,
            "protocol": "both",
            "select": ",".join(FIELDS),
            "aggregation": "all",
            "history": f"since:{since - _HISTORY_BEFORE:%Y-%m-%d}",
            "order_by": f"{column}:asc",
            "where": msgspec.json.encode({"and": conditions}).decode(),
            "limit": str(rows),
            "output": "json",
        }
    )
