"""For connectors that read many pages in one run: one that fails must not keep all others from being read."""

from flatline_connectors.fetching.outcomes import Action, Fetched
from flatline_connectors.runtime.connector import usable


class SecondChances:
    """Has a page that failed asked for once more, with the patience that it asks for."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def check(self, url: str, page: Fetched) -> None:
        """Raise `PollFailed` at the first failure that may pass. After that, the page is to be left out of the run."""
        if page.outcome.action in {Action.RETRY, Action.WAIT} and url not in self._given:
            self._given.add(url)
            usable(page)
        self._given.discard(url)
