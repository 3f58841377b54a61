"""Something to be scraped that says of each instant what a worker or an ingest would."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.http_server import Handler, running_server


@contextmanager
def target(exposition: Callable[[float], str]) -> Iterator[str]:
    """Serve it at every path on a free port, and yield host:port."""

    class Exposing(Handler):
        def get(self) -> None:
            self.answer(200, "text/plain; version=0.0.4", exposition(time.time()).encode())

    with running_server(Exposing) as at:
        yield at
