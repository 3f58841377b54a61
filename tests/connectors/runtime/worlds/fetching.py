"""Fetchers for worlds."""

from collections.abc import Callable

from flatline_connectors.fetching.exchange import ApiRequest
from flatline_connectors.fetching.outcomes import Fetched, Outcome, Validators


class NoFetcher:
    """For connectors that ask nobody."""

    async def fetch(self, url: str, **_how: object) -> Fetched:
        """Fail the test."""
        raise AssertionError(f"it asked for {url}")

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Fail the test."""
        raise AssertionError(f"it asked for the sitemaps of {url}")


class ScriptedFetcher:
    """Answers with what stands in ``pages`` by address: a body, or what makes one of the address or of what is posted.

    ``retry_after_s``: the next request gets 429 with this. An answer has an ETag, and is 304 to whoever knows it.
    """

    def __init__(self, pages: dict[str, bytes | Callable[[str], bytes]]) -> None:
        self.pages = pages
        self.retry_after_s: int | None = None
        self.asked: list[str] = []

    async def fetch(
        self, url: str, *, validators: Validators | None = None, request: ApiRequest | None = None, **_how: object
    ) -> Fetched:
        """Answer."""
        self.asked.append(url)
        if self.retry_after_s is not None:
            retry_after_s, self.retry_after_s = self.retry_after_s, None
            return Fetched(Outcome.RATE_LIMITED, url, status=429, retry_after_s=retry_after_s)
        page = self.pages.get(url.partition("?")[0])
        if page is None:
            return Fetched(Outcome.NOT_FOUND, url, status=404)
        posted = request.body if request is not None else None
        body = page if isinstance(page, bytes) else page(url if posted is None else posted.decode())
        etag = f'"{hash(body)}"'
        if validators is not None and validators.etag == etag:
            return Fetched(Outcome.NOT_MODIFIED, url, status=304)
        return Fetched(Outcome.FETCHED, url, status=200, body=body, validators=Validators(etag))

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Nobody should ask."""
        raise AssertionError(f"it asked for the sitemaps of {url}")
