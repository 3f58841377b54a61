"""Every Kafka client of this program is made here, so that each is made as the settings say."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.consumer import fetcher as async_fetcher
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.consumer import fetcher
from kafka.net import manager
from kafka.producer import kafka as producer

from flatline.kafka.access import refuse_no_access
from flatline.kafka.endless_waits import RequestedProducerIds, TimedTlsTransport
from flatline.kafka.fetched_batches import FetchedBatches, ReadableRecords
from flatline.kafka.mechanisms import AsyncNewestToken, NewestToken, NoneKept
from flatline.kafka.polled_batches import PolledBatches, PolledRecords
from flatline.kafka.security import FreshContext, Security

# For every consumer of this process: the clients have no other way in.
async_fetcher.MemoryRecords, async_fetcher.PartitionRecords = FetchedBatches, ReadableRecords
fetcher.MemoryRecords, fetcher.Fetcher.PartitionRecords = PolledBatches, PolledRecords
# For every connection and every producer.
manager.KafkaSSLTransport, producer.TransactionManager = TimedTlsTransport, RequestedProducerIds

# For annotations; strings, so that nobody makes one of them elsewhere.
AdminClient: TypeAlias = "KafkaAdminClient"
Consumer: TypeAlias = "KafkaConsumer"
Producer: TypeAlias = "KafkaProducer"
AsyncConsumer: TypeAlias = "AIOKafkaConsumer"
AsyncProducer: TypeAlias = "AIOKafkaProducer"


@dataclass(frozen=True)
class KafkaCluster:
    """A cluster, and how it is reached.

    ``bootstrap`` is ``host:port,...``. Clients are given what else they need by the libraries' own names. Those of
    kafka-python connect when they are made, and raise KafkaError; where the cluster does not let us in it is an
    `AccessError`, without a second try. Those of aiokafka connect when they are started, and say less.
    """

    bootstrap: str
    security: Security = field(default_factory=Security)

    def __str__(self) -> str:
        return self.bootstrap

    @property
    def servers(self) -> list[str]:
        """Each ``host:port``."""
        return self.bootstrap.split(",")

    def admin(self, **configuration: Any) -> AdminClient:
        """Return a new admin client. Raises KafkaError."""
        self.refuse_no_access()
        admin = KafkaAdminClient(**self._client(), **configuration)
        admin._manager._auth_failures = NoneKept()  # noqa: SLF001
        return admin

    def consumer(self, **configuration: Any) -> Consumer:
        """Return a new consumer. Raises KafkaError."""
        self.refuse_no_access()
        consumer = KafkaConsumer(**self._client(), **configuration)
        consumer._manager._auth_failures = NoneKept()  # noqa: SLF001
        return consumer

    def producer(self, **configuration: Any) -> Producer:
        """Return a new producer. Raises KafkaError."""
        self.refuse_no_access()
        producer = KafkaProducer(**self._client(), **configuration)
        producer._sender._client._manager._auth_failures = NoneKept()  # noqa: SLF001
        return producer

    def async_consumer(self, **configuration: Any) -> AsyncConsumer:
        """Return a new consumer that was not started. Within a running loop only."""
        return AIOKafkaConsumer(bootstrap_servers=self.bootstrap, **self._async_security(), **configuration)

    def async_producer(self, **configuration: Any) -> AsyncProducer:
        """Return a new producer that was not started. Within a running loop only."""
        return AIOKafkaProducer(bootstrap_servers=self.bootstrap, **self._async_security(), **configuration)

    def refuse_no_access(self) -> None:
        """Raise AccessError where the cluster answers and does not let us in, or can't be trusted."""
        if self.security.protocol != "PLAINTEXT":
            refuse_no_access(self.bootstrap, self.security, self._async_security)

    def _client(self) -> dict[str, Any]:
        return {"bootstrap_servers": self.servers, **self._security(NewestToken)}

    def _async_security(self) -> dict[str, Any]:
        return self._security(AsyncNewestToken)

    def _security(self, token: type[NewestToken | AsyncNewestToken]) -> dict[str, Any]:
        """Return what kafka-python and aiokafka call by the same names."""
        chosen: dict[str, Any] = {"security_protocol": self.security.protocol}
        if self.security.has_tls:
            chosen["ssl_context"] = FreshContext(self.security)
        if (secret := self.security.secret) is not None:
            chosen["sasl_mechanism"] = self.security.mechanism
            if self.security.mechanism == "OAUTHBEARER":
                chosen["sasl_oauth_token_provider"] = token(secret)
            else:
                chosen |= {"sasl_plain_username": self.security.username, "sasl_plain_password": secret}
        return chosen
