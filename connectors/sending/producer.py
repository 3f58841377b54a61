"""The producer that every connector sends through, around kafka-python's."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Final, Self

from kafka.errors import KafkaError, RetriableError

from flatline.domain.state.moves import Rule, key_of, move_of
from flatline.kafka.access import AccessError
from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.cluster import Producer as KafkaProducer
from flatline.schema import codec
from flatline.schema.dead_letter import Headers, dead_letter, resent
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.rejection import Rejected
from flatline.schema.topics import DEAD_LETTER_BYTES_MAX, Topics
from flatline_connectors.errors import ConnectorError
from flatline_connectors.sending.articles import PreparedArticle, PreparedRemoval
from flatline_connectors.sending.delivery import Buffer, Deliveries, DeliveryFailed
from flatline_connectors.sending.heartbeats import PreparedHeartbeat, checked
from flatline_connectors.sending.links import PreparedLink
from flatline_connectors.sending.partitioner import ArticlePartitioner
from flatline_connectors.sending.sites import PreparedSite
from flatline_connectors.sending.visits import PreparedVisits

BUFFER_BYTES_MAX: Final = 48 * 1024 * 1024

# Long enough for a broker's restart, short enough for a person who waits for an answer.
_CONNECT_TIMEOUT_MS: Final = 10_000
_DELIVERY_TIMEOUT_MS: Final = 20_000
# While the broker has not yet said who we are, kafka-python lets no batch expire: then we give up ourselves.
PATIENCE_S: Final = _DELIVERY_TIMEOUT_MS / 1000 + 3
_SILENCE: Final = f"no acknowledgement for {PATIENCE_S:g} s"
_CLOSE_TIMEOUT_S: Final = 2

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class KafkaUnavailable(ConnectorError):
    """No broker answers, or topics are missing."""

    remedy = "Start Kafka with `flatline up`, or set FLATLINE_KAFKA_BOOTSTRAP."


def _connect(cluster: KafkaCluster, *, linger_ms: int) -> KafkaProducer:
    try:
        return cluster.producer(
            acks="all",
            enable_idempotence=True,
            partitioner=ArticlePartitioner(),
            allow_auto_create_topics=False,
            # One batch a partition is on its way at a time, and each must stay below the broker's 1 MiB.
            batch_size=512 * 1024,
            max_request_size=DEAD_LETTER_BYTES_MAX,  # the largest record that any topic takes
            linger_ms=linger_ms,
            bootstrap_timeout_ms=_CONNECT_TIMEOUT_MS,
            max_block_ms=_CONNECT_TIMEOUT_MS,
            request_timeout_ms=_CONNECT_TIMEOUT_MS,
            delivery_timeout_ms=_DELIVERY_TIMEOUT_MS,
            reconnect_backoff_max_ms=1_000,
            metrics_enabled=False,  # a fifth of the time of a send, for figures that nobody reads
        )
    except AccessError as error:
        raise KafkaUnavailable(str(error), remedy=error.remedy) from error
    except KafkaError as error:
        raise KafkaUnavailable(f"Kafka at {cluster} does not answer: {error}") from error


class Producer:
    """Sends records of every kind, and dead letters; nothing is lost in silence.

    Every ``send_…`` and ``heartbeat`` returns at once, unless the buffer is full: then it waits for room. A delivery
    that failed is raised as `DeliveryFailed` by the next call, or by `flush`. Who wants to know the end of certain
    records only passes ``deliveries``, from `new_deliveries`. ``now_ms`` dates heartbeats; records
    carry the wall clock's time, as Kafka's retention and its bounds on timestamps go by that.

    As a context manager it flushes at the end of the block, unless that ends in an error. Thread-safe.
    """

    def __init__(
        self,
        cluster: KafkaCluster,
        topics: Topics,
        *,
        now_ms: Callable[[], int],
        linger_ms: int = 100,
        buffer_bytes_max: int = BUFFER_BYTES_MAX,
    ) -> None:
        """Connect to ``host:port,...``. Raise `KafkaUnavailable` if no broker answers or a topic is missing."""
        self.topics = topics
        self.now_ms = now_ms
        self._buffer = Buffer(bytes_max=buffer_bytes_max)
        self.deliveries = Deliveries(self._buffer)
        self._connect = partial(_connect, cluster, linger_ms=linger_ms)
        self._kafka = self._connect()
        self._is_broken = False
        self._renewal = threading.Lock()
        for topic in (
            topics.links,
            topics.articles,
            topics.visits,
            topics.removals,
            topics.moves,
            topics.heartbeats,
            topics.dead_letters,
        ):
            self._find(topic.name)

    def _find(self, topic: str) -> None:
        try:
            self._kafka.partitions_for(topic)
        except KafkaError as error:
            self._force_close()
            raise KafkaUnavailable(
                f"Kafka has no topic {topic}: {error}",
                remedy="`flatline topics create` creates the topics; FLATLINE_NAMESPACE is the prefix of their names.",
            ) from error

    @property
    def is_full(self) -> bool:
        """Whether the next record would have to wait for room in the buffer."""
        return self._buffer.is_full

    def new_deliveries(self) -> Deliveries:
        """Return a new count, for calls whose records are to be counted separately."""
        return Deliveries(self._buffer)

    def send_link(self, link: PreparedLink, *, deliveries: Deliveries | None = None) -> None:
        """Send a link event to its article's partition."""
        self._send(self.topics.links.name, key=link.key, value=link.value, deliveries=deliveries)

    def send_article(self, article: PreparedArticle, *, deliveries: Deliveries | None = None) -> None:
        """Send an article record to its article's partition."""
        self._send(self.topics.articles.name, key=article.key, value=article.value, deliveries=deliveries)

    def send_visits(self, visits: PreparedVisits, *, deliveries: Deliveries | None = None) -> None:
        """Send a visits record to its article's partition."""
        self._send(self.topics.visits.name, key=visits.key, value=visits.value, deliveries=deliveries)

    def send_removal(self, removal: PreparedRemoval, *, deliveries: Deliveries | None = None) -> None:
        """Send a removal to its article's partition."""
        self._send(self.topics.removals.name, key=removal.key, value=removal.value, deliveries=deliveries)

    def send_move(self, rule: Rule, *, deliveries: Deliveries | None = None) -> None:
        """Send a move, or that it is undone."""
        value = codec.moves.encode(move_of(rule))
        self._send(self.topics.moves.name, key=key_of(rule), value=value, deliveries=deliveries)

    def send_site(self, site: PreparedSite, *, deliveries: Deliveries | None = None) -> None:
        """Send a site record. Raise `KafkaUnavailable` where its topic is missing."""
        self._find(self.topics.sites.name)  # younger than the others, so an installation may lack it
        self._send(self.topics.sites.name, key=site.key, value=site.value, deliveries=deliveries)

    def remove_site(self, domain: str, *, deliveries: Deliveries | None = None) -> None:
        """Send the tombstone of a site record, by its canonical domain."""
        self._send(self.topics.sites.name, key=domain.encode(), value=None, deliveries=deliveries)

    def send_alert_mark(self, key: bytes, value: bytes, *, deliveries: Deliveries | None = None) -> None:
        """Send the mark of an alert, by the alert's id. Raise `KafkaUnavailable` where its topic is missing."""
        self._find(self.topics.alert_marks.name)  # younger than the others, so an installation may lack it
        self._send(self.topics.alert_marks.name, key=key, value=value, deliveries=deliveries)

    def send_snooze(self, key: bytes, value: bytes, *, deliveries: Deliveries | None = None) -> None:
        """Send a snooze, by its id. Raise `KafkaUnavailable` where its topic is missing."""
        self._find(self.topics.snoozes.name)  # younger than the others, so an installation may lack it
        self._send(self.topics.snoozes.name, key=key, value=value, deliveries=deliveries)

    def send_annotation(self, key: bytes, value: bytes, *, deliveries: Deliveries | None = None) -> None:
        """Send an annotation, by its id. Raise `KafkaUnavailable` where its topic is missing."""
        self._find(self.topics.annotations.name)  # younger than the others, so an installation may lack it
        self._send(self.topics.annotations.name, key=key, value=value, deliveries=deliveries)

    def send_dead_letter(
        self, value: bytes, rejected: Rejected, *, origin: dict[str, str | int], deliveries: Deliveries | None = None
    ) -> None:
        """Send a rejected record, cut only if it is too long, with headers that give the reason and the origin."""
        letter = dead_letter(rejected, origin=origin, value=value)
        self._send(self.topics.dead_letters.name, value=letter.value, headers=letter.headers, deliveries=deliveries)

    def send_resent(self, offset: int, *, by: str | None, deliveries: Deliveries | None = None) -> None:
        """Say of the dead letter at an offset that its record was sent again, by whom."""
        headers = resent(offset, by=by)
        self._send(self.topics.dead_letters.name, value=b"", headers=headers, deliveries=deliveries)

    def heartbeat(
        self,
        source: str,
        seen_until: datetime | None = None,
        *,
        period_s: float | None = None,
        pages_seen: int = 0,
        errors: int = 0,
        seen_from: datetime | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        """Say that ``source`` has seen everything up to ``seen_until`` (now), and will say so again in ``period_s``.

        ``seen_from``: nothing is claimed of the time before.

        Raise `Rejected` for what is not within the contract's bounds.
        """
        now = _EPOCH + timedelta(milliseconds=self.now_ms())
        heartbeat = Heartbeat(
            source=source,
            sent_at=now,
            seen_until=seen_until or now,
            period_s=period_s,
            pages_seen=pages_seen,
            errors=errors,
            seen_from=seen_from,
        )
        self.send_heartbeat(checked(heartbeat), deliveries=deliveries)

    def send_heartbeat(self, heartbeat: PreparedHeartbeat, *, deliveries: Deliveries | None = None) -> None:
        """Send a heartbeat that has been checked."""
        self._send(self.topics.heartbeats.name, key=heartbeat.key, value=heartbeat.value, deliveries=deliveries)

    def _send(
        self,
        topic: str,
        *,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        deliveries = deliveries or self.deliveries
        deliveries.raise_failure()
        if self._buffer.is_full and not self._buffer.wait_for_room(PATIENCE_S):
            raise DeliveryFailed(topic, _SILENCE)
        if self._is_broken:
            self._renew()
        size = len(value or b"")
        deliveries.expect(size)
        try:
            future = self._kafka.send(topic, value, key=key, headers=headers)
        except KafkaError as error:
            deliveries.fail(topic, size, error)
            raise DeliveryFailed(topic, error) from error
        future.add_callback(deliveries.acknowledge)
        future.add_errback(partial(self._fail, deliveries, topic, size))

    def _fail(self, deliveries: Deliveries, topic: str, value_bytes: int, cause: Exception) -> None:
        # After an error that can't be retried, an idempotent producer of kafka-python takes nothing ever again.
        self._is_broken = self._is_broken or not isinstance(cause, RetriableError)
        deliveries.fail(topic, value_bytes, cause)

    def _renew(self) -> None:
        with self._renewal:
            if self._is_broken:
                self._force_close()
                self._kafka = self._connect()
                self._is_broken = False

    def flush(self) -> None:
        """Block until Kafka has everything that was sent without ``deliveries`` of its own. Raise `DeliveryFailed`."""
        self.deliveries.raise_failure()
        with suppress(KafkaError):  # its time is up: what we count ourselves says what is missing
            self._kafka.flush(PATIENCE_S)
        self.deliveries.wait(_CLOSE_TIMEOUT_S)
        self.deliveries.raise_failure()
        if not self.deliveries.is_settled:
            raise DeliveryFailed(None, _SILENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self.flush()
        finally:
            self._force_close()

    def _force_close(self) -> None:
        # With records that never got an answer close() would raise, and again when the object is collected.
        if self._buffer.bytes:
            self._kafka._sender.force_close()  # noqa: SLF001
        with suppress(KafkaError):
            self._kafka.close(_CLOSE_TIMEOUT_S)
