"""Items of a Scrapy spider, one JSON object on each line: a page with the links on it.

An item has ``url`` (``final_url`` after redirects), ``status``, ``fetched_at``, ``title`` and ``links`` with ``url``,
``text``, ``rel``, ``nofollow`` and ``path``. A spider sees all links of a page; only links to our sites are used.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final

import msgspec

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.files.exports.dates import instant_of
from flatline_connectors.files.exports.row import Placement, Row, Statement

_OK: Final = 200
_PLACEMENT_BY_ELEMENT: Final[dict[str, Placement]] = {
    "footer": "footer",
    "nav": "nav",
    "header": "nav",
    "aside": "sidebar",
    "article": "content",
    "main": "content",
}


class ItemLink(msgspec.Struct):
    """A link on a page."""

    url: str
    text: str = ""
    rel: str = ""
    nofollow: bool = False
    path: str = ""


class Item(msgspec.Struct):
    """A page that was fetched."""

    url: str
    links: list[ItemLink]
    status: int = _OK
    final_url: str = ""
    fetched_at: str = ""
    title: str | None = None


_decode: Final = msgspec.json.Decoder(Item).decode


def is_item(first_line: bytes) -> bool:
    """Whether a line is such an item."""
    try:
        _decode(first_line)
    except JSON_ERRORS:
        return False
    return True


def rows_of(line: bytes, is_ours: Callable[[str], bool]) -> Iterator[Row]:
    """Yield the links of an item to our sites; none if the page could not be read. Raise `Rejected`."""
    try:
        item = _decode(line)
        fetched_at = instant_of(item.fetched_at)
    except JSON_ERRORS as error:
        raise Rejected(Reason.INVALID_JSON, f"no item: {error}") from None
    except ValueError as error:
        raise Rejected(Reason.INVALID_TIME, str(error)) from None
    page = item.final_url or item.url
    if item.status == _OK and not is_ours(page):
        for link in item.links:
            if is_ours(link.url):
                yield _row(page, link, item.title or "", fetched_at)


def placement_of(elements: Iterable[str]) -> Placement | None:
    """Return where on a page a link is that is inside of these elements, the outermost first."""
    return next((_PLACEMENT_BY_ELEMENT[element] for element in elements if element in _PLACEMENT_BY_ELEMENT), None)


def _row(page: str, link: ItemLink, title: str, fetched_at: datetime | None) -> Row:
    rel = frozenset(link.rel.lower().split()) | ({"nofollow"} if link.nofollow else set())
    placement = placement_of(link.path.lower().split(">"))
    # One look at a page doesn't tell a new link from a new page.
    statement = Statement.PAGE_FOUND
    return Row(
        url_from=page,
        url_to=link.url,
        anchor=link.text,
        rel=rel,
        placement=placement,
        title=title,
        statement=statement,
        first_seen=fetched_at,
    )
