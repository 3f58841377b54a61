"""kafka-python 3.0.12, kept from waiting for ever: for a server's part of a TLS handshake, and for a producer id."""

import ssl
import time
from typing import Final

from kafka.net.transport import KafkaSSLTransport
from kafka.producer.transaction_manager import TransactionManager, TransactionState

_HANDSHAKE_WITHIN_S: Final = 10.0


class TimedTlsTransport(KafkaSSLTransport):  # type: ignore[misc]
    """The library's handshake knows no end, and what waits for the connection knows none either."""

    async def handshake(self) -> None:
        """Return when both sides trust each other. Raises SSLError, and KafkaTimeoutError."""
        try:
            await self._shake_hands(time.monotonic() + _HANDSHAKE_WITHIN_S)
        except Exception as error:
            self.abort(error)  # nobody else closes the socket then
            raise

    async def _shake_hands(self, ends_s: float) -> None:
        while True:
            try:
                self._sock.do_handshake()
            except ssl.SSLWantReadError:
                await self._net.wait_read(self._sock, ends_s)
            except ssl.SSLWantWriteError:
                await self._net.wait_write(self._sock, ends_s)
            else:
                return


class RequestedProducerIds(TransactionManager):  # type: ignore[misc]
    """The library gives its producer id up when a batch expires that was sent before, and never requests another.

    From then on it sends nothing, and lets nothing expire.
    """

    def reset_producer_id(self) -> None:
        """Give the producer id up, and have another one requested, as Kafka's own client does (KAFKA-7737)."""
        super().reset_producer_id()
        with self._lock:
            self._current_state: TransactionState = TransactionState.UNINITIALIZED
