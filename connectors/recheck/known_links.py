"""The links that are known, as the API lists them, in the order in which they are looked at."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec
import xxhash

from flatline.schema.codec import JSON_ERRORS
from flatline.schema.rejection import Reason, Rejected
from flatline_connectors.fetching.outcomes import Action
from flatline_connectors.runtime.connector import LETTER_BYTES, MalformedPage, OwnApi, PollFailed

ROWS: Final = 20
"""Of one page: what is fetched before anything is saved."""
_OK: Final = 200
_BAD_REQUEST: Final = 400
_WRONG_TOKEN: Final = frozenset({401, 403, 421})


class LinkChange(msgspec.Struct, frozen=True):
    """What somebody said of a link, and when."""

    at: datetime
    change: str
    source: str | None = None


class KnownLink(msgspec.Struct, frozen=True):
    """A link. ``article``: its canonical URL. ``changed_at``: of the newest gain or loss."""

    article: str
    url_from: str
    url_to: str
    is_live: bool
    changed_at: datetime
    changes: list[LinkChange]

    @property
    def key(self) -> str:
        """What it is known by from run to run: 16 hexadecimal digits."""
        return xxhash.xxh3_64_hexdigest(f"{self.url_from} {self.article}".encode())

    def is_confirmed_lost(self, source: str) -> bool:
        """Whether ``source`` has said of the newest loss that it is one."""
        return not self.is_live and any(
            each.change == "lost" and each.source == source and each.at >= self.changed_at for each in self.changes
        )


class LinkPage(msgspec.Struct, frozen=True):
    """Some links. ``next``: the cursor of the following page; None: this is the last one."""

    rows: list[KnownLink]
    next: str | None = None


class Listing(NamedTuple):
    """A list that is asked for. ``is_beyond``: whether a link and all that follow are none of those looked for."""

    filters: Mapping[str, str]
    is_beyond: Callable[[KnownLink], bool]


def listings(began_at: datetime, *, losses: timedelta, again: timedelta) -> dict[str, Listing]:
    """Return what a run looks at, by name, the most urgent first.

    ``losses``: how old a loss may be that is looked into. ``again``: after how long a live link is looked at again.
    """
    return {
        "losses": Listing({"live": "false", "sort": "-changed"}, lambda link: link.changed_at < began_at - losses),
        "suspects": Listing({"suspected": "true", "sort": "changed"}, lambda _: False),
        "oldest": Listing({"live": "true", "sort": "changed"}, lambda link: link.changed_at > began_at - again),
    }


class CursorExpired(Exception):
    """The read model was made anew: the list has to be asked for from its beginning."""


class KnownLinks:
    """The API's list of links."""

    def __init__(self, ask: OwnApi, server: str, token: str | None) -> None:
        self._ask = ask
        self._server = server.rstrip("/")
        self._token = token

    async def page(self, listing: Listing, cursor: str | None) -> LinkPage:
        """Return a page of a list. Raise `CursorExpired`, `PollFailed`, and OSError where nothing answers."""
        query = {**listing.filters, "limit": str(ROWS)} | ({} if cursor is None else {"cursor": cursor})
        status, body, retry_after_s = await self._ask(
            f"{self._server}/api/v1/links?{urlencode(query)}", token=self._token
        )
        if status == _BAD_REQUEST and cursor is not None:
            raise CursorExpired
        if status in _WRONG_TOKEN:
            raise PollFailed(Action.STOP, f"the API at {self._server} refuses the token: HTTP status {status}")
        if status != _OK:
            detail = f"the API at {self._server} answers with HTTP status {status}"
            raise PollFailed(Action.WAIT, detail, retry_after_s=retry_after_s)
        try:
            return msgspec.json.decode(body, type=LinkPage)
        except JSON_ERRORS as error:
            rejected = Rejected(Reason.INVALID_JSON, f"no list of links: {error}")
            raise MalformedPage(body[:LETTER_BYTES], rejected, origin={"url": self._server}) from None
