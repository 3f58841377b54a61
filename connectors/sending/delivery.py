"""Delivery tracking: which of the records of a sender Kafka has acknowledged."""

import threading
from collections.abc import Callable
from typing import Any, Final

from flatline_connectors.errors import ConnectorError

# What a record costs beside its value while it waits: its futures and callbacks, measured.
RECORD_OVERHEAD_BYTES: Final = 1_500


class DeliveryFailed(ConnectorError):
    """Kafka did not acknowledge a record for ``topic`` (None: some of several topics), because of ``cause``."""

    remedy = "Send it again when Kafka answers: links count once. `flatline doctor` says what is wrong."

    def __init__(self, topic: str | None, cause: object) -> None:
        super().__init__(f"Kafka did not take {f'a record for {topic}' if topic else 'all records'}: {cause}")
        self.topic = topic
        self.cause = cause


class Buffer:
    """The bytes that wait for an acknowledgement, over everything that one producer sends. Its lock guards all."""

    def __init__(self, *, bytes_max: int) -> None:
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.bytes_max = bytes_max
        self.bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the next record has to wait."""
        return self.bytes >= self.bytes_max

    def wait_for_room(self, timeout_s: float) -> bool:
        """Block until half of it is free; False if it isn't so within ``timeout_s``."""
        with self.changed:
            return self.changed.wait_for(lambda: self.bytes <= self.bytes_max // 2, timeout_s)

    def release(self, count: int) -> None:
        """Free some bytes; the lock is held."""
        before, self.bytes = self.bytes, self.bytes - count
        if self.bytes <= self.bytes_max // 2 < before:
            self.changed.notify_all()


class Deliveries:
    """Records that were sent together: how many, how many of them Kafka has acknowledged, and the first failure.

    The sender counts on its thread, Kafka's thread reports.
    """

    def __init__(self, buffer: Buffer) -> None:
        self.sent = 0
        self.acknowledged = 0
        self.failed = 0
        self.failure: DeliveryFailed | None = None
        self._buffer = buffer
        self._when_settled: Callable[[], object] | None = None

    @property
    def is_settled(self) -> bool:
        """Whether each record is either acknowledged or failed."""
        return self.acknowledged + self.failed == self.sent

    def raise_failure(self) -> None:
        """Raise the first failure, if there is one: a `DeliveryFailed`."""
        if self.failure:
            raise self.failure

    def when_settled(self, callback: Callable[[], object]) -> None:
        """Have ``callback`` called, once and on any thread, when everything sent until now is settled."""
        with self._buffer.changed:
            if not self.is_settled:
                self._when_settled = callback
                return
        callback()

    def wait(self, timeout_s: float) -> bool:
        """Block until everything is settled; False if it isn't so within ``timeout_s``."""
        with self._buffer.changed:
            return self._buffer.changed.wait_for(lambda: self.is_settled, timeout_s)

    def expect(self, value_bytes: int) -> None:
        """Count a record that is about to be sent."""
        with self._buffer.lock:
            self.sent += 1
            self._buffer.bytes += value_bytes + RECORD_OVERHEAD_BYTES

    def acknowledge(self, metadata: Any) -> None:
        """Count a record that Kafka has; ``metadata`` is kafka-python's."""
        with self._buffer.lock:
            self.acknowledged += 1
            callback = self._settle(metadata.serialized_value_size)
        if callback:
            callback()

    def fail(self, topic: str, value_bytes: int, cause: Exception) -> None:
        """Count a record that Kafka did not take."""
        with self._buffer.lock:
            self.failed += 1
            self.failure = self.failure or DeliveryFailed(topic, cause)
            callback = self._settle(value_bytes)
        if callback:
            callback()

    def _settle(self, value_bytes: int) -> Callable[[], object] | None:
        self._buffer.release(value_bytes + RECORD_OVERHEAD_BYTES)
        if not self.is_settled:
            return None
        self._buffer.changed.notify_all()
        callback, self._when_settled = self._when_settled, None
        return callback
