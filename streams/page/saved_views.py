"""Remembers, in a cookie, views of the table of articles: filters, search and sorting under a name."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from flatline.page.rendering import with_query

COOKIE: Final = "flatline_views"
NAME_CHARACTERS_MAX: Final = 60
FIELDS: Final = ("q", "state", "series", "author", "strategy", "site", "suppressed", "sort")
_COOKIE_BYTES_MAX: Final = 3_800  # browsers drop what is longer than 4,096 with its name and attributes


class SavedView(Struct, frozen=True):
    """A view. ``query``: what was chosen, by the names of the fields."""

    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]
    query: dict[str, str]

    @property
    def path(self) -> str:
        """The address of the view; whoever has it sees the same."""
        return with_query("/articles", **{name: self.query[name] for name in FIELDS if name in self.query})


def saved_views(cookie: str | None) -> list[SavedView]:
    """Return the views that a cookie holds, by name. What is no cookie of ours holds none."""
    try:
        return msgspec.json.decode(urlsafe_b64decode((cookie or "").encode()), type=list[SavedView])
    except (ValueError, RecursionError):
        return []


def with_view(views: Sequence[SavedView], name: str, fields: Mapping[str, str]) -> str:
    """Return the cookie that holds one view more, or another one under its name. Raise ValueError if it gets too long.

    ``fields``: of a form; what is no filter is left out.
    """
    query = {each: fields[each] for each in FIELDS if fields.get(each)}
    view = msgspec.convert({"name": " ".join(name.split()), "query": query}, SavedView)
    cookie = _cookie([*(each for each in views if each.name != view.name), view])
    if len(cookie) > _COOKIE_BYTES_MAX:
        raise ValueError("a browser keeps no more views: remove one")
    return cookie


def without_view(views: Sequence[SavedView], name: str) -> str:
    """Return the cookie without the view of a name."""
    return _cookie([each for each in views if each.name != name])


def _cookie(views: Sequence[SavedView]) -> str:
    return urlsafe_b64encode(msgspec.json.encode(sorted(views, key=lambda each: each.name))).decode()
