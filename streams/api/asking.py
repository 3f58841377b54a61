"""Runs queries in threads, as many at a time as there are readers, and turns what goes wrong into refusals."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sqlalchemy import Connection

from flatline.readmodel.database import AwayError, DeadlineError
from flatline.readmodel.follower import Follower, NothingReadError
from flatline.readmodel.queries.paging import CursorError
from flatline_connectors.ingest.answers import Refused

T = TypeVar("T")

READERS: Final = 4
WAITING_MAX: Final = 64
_RETRY_AFTER_S: Final = 2


class Asking:
    """Asks the read model."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
        self._waiting = 0

    async def ask(self, query: Callable[[Connection], T]) -> T:
        """Return what a query does. Raises `Refused`."""
        if self._waiting >= WAITING_MAX:
            raise Refused(
                503, "too_busy", "There are too many requests. Come back later.", retry_after_s=_RETRY_AFTER_S
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, query)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _ask(self, query: Callable[[Connection], T]) -> T:
        try:
            with self._follower.reading() as connection:
                return query(connection)
        except NothingReadError:
            waiting = self._follower.progress.waiting
            ahead = "" if waiting is None else f" {waiting:,} records are ahead."
            raise Refused(
                503, "not_ready", f"The read model is being made.{ahead}", retry_after_s=_RETRY_AFTER_S
            ) from None
        except DeadlineError:
            message = "The query took too long: ask for less, with more filters or another order."
            raise Refused(503, "too_slow", message) from None
        except AwayError:
            message = "The database of the read model does not answer. Come back later."
            raise Refused(503, "not_ready", message, retry_after_s=_RETRY_AFTER_S) from None
        except CursorError as error:
            raise Refused(400, "bad_cursor", str(error)) from None
