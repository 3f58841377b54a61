"""The page of lost links: what is worth asking back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from flatline.page.rendering import with_query
from flatline.page.views.pages_of_lists import page_or_first
from flatline.readmodel.queries.articles import titles_of
from flatline.readmodel.queries.links import LinkFilter, list_links
from flatline.readmodel.queries.publishers import TurnedPublisher, turned_nofollow
from flatline.readmodel.queries.views import LinkRow

ROWS: Final = 100
_LOST: Final = LinkFilter(live=False)


@dataclass(frozen=True)
class LostView:
    """The page. ``titles``: of articles that have one, by their addresses.

    ``turned``: publishers whose links are still there, and nofollow now; on the first page only
    """

    links: Sequence[LinkRow]
    turned: Sequence[TurnedPublisher]
    titles: Mapping[str, str]
    next_path: str | None
    csv_path: str = "/api/v1/links?live=false&sort=-changed&format=csv"


def lost_view(connection: Connection, query: Mapping[str, str], *, now_ms: int) -> LostView:
    """Return a page of links that are not live any more, newest loss first."""
    page = page_or_first(
        lambda cursor: list_links(connection, _LOST, sort="changed", cursor=cursor, limit=ROWS), query.get("after")
    )
    return LostView(
        links=page.rows,
        turned=[] if query.get("after") else turned_nofollow(connection, now_ms=now_ms),
        titles=titles_of(connection, {link.article for link in page.rows}),
        next_path=with_query("/lost", after=page.next) if page.next else None,
    )
