"""Fetchers for worlds."""

from flatline_connectors.fetching.outcomes import Fetched


class NoFetcher:
    """For connectors that ask nobody."""

    async def fetch(self, url: str, **_how: object) -> Fetched:
        """Fail the test."""
        raise AssertionError(f"it asked for {url}")

    async def sitemaps(self, url: str) -> tuple[str, ...]:
        """Fail the test."""
        raise AssertionError(f"it asked for the sitemaps of {url}")
