"""Ends a worker when another generation of the state takes over."""

import logging
from collections.abc import Callable

from flatline.schema import codec
from flatline.schema.generation import SERVING, Generation

log = logging.getLogger("flatline.worker")


class NewerGeneration:
    """Watches the topic of generations, and calls ``end`` once a newer one than ``own`` serves."""

    def __init__(self, own: Generation, *, end: Callable[[], object]) -> None:
        self._own = own
        self._end = end
        self.has_come = False

    def receive(self, key: bytes, value: bytes | None, _recorded_ms: int) -> None:
        """Take a record of the topic of generations in. Raises Rejected."""
        if key != SERVING or value is None or self.has_come:
            return
        serving = codec.generations.decode(value)
        if serving.number > self._own.number:
            log.info("state %d serves from now on: this worker starts anew for it", serving.state)
            self.has_come = True
            self._end()
