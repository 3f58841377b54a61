"""A page of a list, as an address asks for it."""

from collections.abc import Callable
from typing import TypeVar

from flatline.readmodel.queries.paging import CursorError
from flatline.readmodel.queries.views import Page

T = TypeVar("T")


def page_or_first(page_after: Callable[[str | None], Page[T]], cursor: str | None) -> Page[T]:
    """Return the page after a cursor; the first one where the cursor is of an old address, or of another order."""
    try:
        return page_after(cursor)
    except CursorError:
        return page_after(None)
