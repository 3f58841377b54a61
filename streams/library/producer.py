"""Link events into Kafka."""

from types import TracebackType
from typing import Self

from flatline.clock import WallClock
from flatline.generations import serving_topics
from flatline.kafka.permissions import Role
from flatline.schema import codec
from flatline.schema.link_event import LinkEvent
from flatline.settings import load_settings
from flatline_connectors.sending import links, producer


class Producer:
    """Sends link events to a Flatline's Kafka. A context manager: at the end of the block all of them are durable.

    ``bootstrap`` is host:port, with commas between several. Where it or ``namespace`` is not given the environment's
    counts (FLATLINE_KAFKA_BOOTSTRAP, FLATLINE_NAMESPACE). ``source`` is that of events that name none.
    """

    def __init__(
        self, bootstrap: str | None = None, *, namespace: str | None = None, source: str | None = None
    ) -> None:
        """Connect. Raises `flatline_connectors.errors.ConnectorError` if no Kafka answers or its topics are missing."""
        given = {"kafka_bootstrap": bootstrap, "namespace": namespace}
        settings = load_settings().model_copy(update={name: value for name, value in given.items() if value})
        self._source = source
        topics = serving_topics(settings, Role.CONNECTORS)
        self._producer = producer.Producer(settings.cluster, topics, now_ms=WallClock().now_ms)

    def send(self, event: LinkEvent) -> None:
        """Send an event; it is durable after `flush`.

        Raises `Rejected` for URLs that are none, and `flatline_connectors.errors.ConnectorError` when an earlier event
        could not be delivered.
        """
        self._producer.send_link(links.prepare(codec.links.encode(event), default_source=self._source))

    def flush(self) -> None:
        """Wait until Kafka has acknowledged all that was sent. Raises `flatline_connectors.errors.ConnectorError`."""
        self._producer.flush()

    def __enter__(self) -> Self:
        self._producer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._producer.__exit__(kind, error, trace)
