"""Answers of Bing Webmaster Tools: pages with links, the links of one of them, and errors."""

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import xxhash

from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.vendors.answers import json_of, json_or_none
from flatline_connectors.vendors.requests import THROTTLED_S, VendorError

FORMAT: Final = "bing-backlinks"
# https://learn.microsoft.com/dotnet/api/microsoft.bing.webmaster.api.interfaces.apierrorcode
_FAULT: Final = frozenset({1, 2})
_ACCOUNT: Final = frozenset({3, 6, 13, 14})
_THROTTLED: Final = frozenset({4, 5})
_NO_SUCH_PAGE: Final = frozenset({7, 8, 11})


class LinkedPages(NamedTuple):
    """A page of the list of your pages that have links. ``pages``: how many pages the list has."""

    urls: Sequence[str]
    is_empty: bool
    pages: int


class Links(NamedTuple):
    """A page of the links of one of your pages. ``pages``: how many there are."""

    rows: Sequence[Any]
    pages: int

    def beyond(self, known: Collection[str], *, links_max: int) -> "Links":
        """Return the page without the links whose digests are known, and without those that would be too many."""
        room = max(0, links_max - len(known))
        return Links([row for row in self.rows if _digest(row) not in known][:room], self.pages)

    @property
    def digests(self) -> list[str]:
        """Those of its links, each once. One that can't be read has one, too."""
        return list(dict.fromkeys(map(_digest, self.rows)))

    def body(self, url_to: str) -> bytes:
        """Return the rows as those of an export, which name the page that they lead to."""
        read = (row if isinstance(row, dict) else {} for row in self.rows)
        rows = [
            {"Source Url": row.get("Url"), "Anchor text": row.get("AnchorText"), "Target Url": url_to} for row in read
        ]
        return msgspec.json.encode(rows)


def read_linked_pages(body: bytes) -> LinkedPages:
    """Return what an answer of GetLinkCounts is. Raise `Rejected` for one that is none."""
    rows, pages = _read(body, "Links")
    urls = [row["Url"] for row in rows if isinstance(row, dict) and isinstance(row.get("Url"), str) and row["Url"]]
    return LinkedPages(urls, not rows, pages)


def read_links(body: bytes) -> Links:
    """Return what an answer of GetUrlLinks is. Raise `Rejected` for one that is none."""
    return Links(*_read(body, "Details"))


def read_error(body: bytes) -> VendorError | None:
    """Return the error in an answer. SKIP: there is no such site or page."""
    answer = json_or_none(body)
    if not isinstance(answer, dict) or "ErrorCode" not in answer:
        return None
    code = answer["ErrorCode"]
    action = next(
        (
            action
            for action, codes in (
                (Action.STOP, _ACCOUNT),
                (Action.RETRY, _FAULT | _THROTTLED),
                (Action.SKIP, _NO_SUCH_PAGE),
            )
            if isinstance(code, int) and code in codes
        ),
        None,
    )
    is_throttled = isinstance(code, int) and code in _THROTTLED
    return VendorError(f"{answer.get('Message', '')} ({code})", action, THROTTLED_S if is_throttled else None)


def _read(body: bytes, name: str) -> tuple[list[Any], int]:
    answer = json_of(body)
    found = answer.get("d") if isinstance(answer, dict) else None
    if not isinstance(found, dict):
        raise Rejected(Reason.INVALID_VALUE, "an answer without d")
    rows, pages = found.get(name, []) or [], found.get("TotalPages", 0)
    if not isinstance(rows, list) or not isinstance(pages, int):
        raise Rejected(Reason.INVALID_VALUE, f"an answer without a list of {name}, or without TotalPages")
    return rows, pages


def _digest(row: Any) -> str:
    url = row.get("Url") if isinstance(row, dict) else None
    return xxhash.xxh3_64_hexdigest(url.encode() if isinstance(url, str) else msgspec.json.encode(row))
