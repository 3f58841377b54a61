"""A Kafka on this machine that is secured as one in production should be, to rehearse that."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.permissions import Permission, Role, permissions
from flatline.kafka.permitted import NotPermittedError, refuse_not_permitted
from flatline.kafka.security import Security
from flatline.local import probes
from flatline.local.certificates import Authority
from flatline.local.kafka import Kafka
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process
from flatline.settings import Settings

_MECHANISM: Final = "SCRAM-SHA-512"
_ALLOWED_WITHIN_S: Final = 60
_LOOK_EVERY_S: Final = 0.2
_BROKER, _ADMINISTRATOR = "broker", "administrator"


class SecuredKafka(Kafka):
    """Listens with SASL_SSL, and forbids whatever is not allowed. Each role has a user, with a password in a file.

    The broker, its controller and the administrator know each other by certificates. The authority is a new one in each
    run; users, passwords and permissions stay.
    """

    def __init__(self, folder: Path, ports: Ports) -> None:
        super().__init__(folder, ports)
        self._own = f"{LOOPBACK}:{ports.claim('kafka-administration')}"
        authority = Authority(folder / "certificates")
        self._ca_file = authority.file
        self._broker = authority.issue(_BROKER)
        certificate, key = authority.issue(_ADMINISTRATOR)
        security = Security(protocol="SSL", ca_file=self._ca_file, certificate_file=certificate, key_file=key)
        self._administrator = KafkaCluster(self._own, security)
        self._password_files = {role: folder / "passwords" / role for role in Role}

    def process(self) -> Process:
        """As of any Kafka. It is ready when the administrator is let in. Raises LaunchError."""
        for file in self._password_files.values():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                file.touch(mode=0o600)
                file.write_text(secrets.token_urlsafe(32))
        return replace(super().process(), is_ready=lambda: probes.is_kafka(self._administrator))

    def allow(self, settings: Settings) -> None:
        """Allow each role what it needs, and nothing else. Raises KafkaError; NotPermittedError if that takes too long.

        Returns when the broker goes by that: it answers before it does.
        """
        with self._administrator.admin() as admin:
            admin.create_acls([_acl(role, each) for role in Role for each in permissions(role, settings.topics)])
        give_up_at_s = monotonic() + _ALLOWED_WITHIN_S
        # The entries take effect in this order.
        last = list(Role)[-1]
        cluster = self.as_role(settings, last).cluster
        while True:
            try:
                refuse_not_permitted(cluster, settings.topics, last)
            except NotPermittedError:
                if monotonic() > give_up_at_s:
                    raise
                sleep(_LOOK_EVERY_S)
            else:
                return

    def as_role(self, settings: Settings, role: Role) -> Settings:
        """Return the settings of a process that comes to this Kafka in a role."""
        return settings.model_copy(
            update={
                "kafka_bootstrap": self.bootstrap,
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": _MECHANISM,
                "kafka_sasl_username": _user(role),
                "kafka_sasl_password_file": self._password_files[role].resolve(),
                "kafka_ssl_ca_file": self._ca_file.resolve(),
            }
        )

    def _properties(self) -> dict[str, object]:
        properties = super()._properties()
        certificate, key = self._broker
        # Brokers want both in one file.
        store = key.with_name(f"{_BROKER}.both.pem")
        store.touch(mode=0o600)
        store.write_bytes(key.read_bytes() + certificate.read_bytes())
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        controller = str(properties["listeners"]).partition(",CONTROLLER://")[2]
        return {
            **properties,
            "listeners": f"CLIENTS://{self.bootstrap},BROKER://{self._own},CONTROLLER://{controller}",
            "listener.security.protocol.map": "CLIENTS:SASL_SSL,BROKER:SSL,CONTROLLER:SSL",
            "sasl.enabled.mechanisms": _MECHANISM,
            f"listener.name.clients.{_MECHANISM.lower()}.sasl.jaas.config": scram,
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": store.resolve(),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self._ca_file.resolve(),
            "listener.name.broker.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": f"User:CN={_BROKER};User:CN={_ADMINISTRATOR}",
        }

    def _format_options(self) -> Iterable[str]:
        for role, file in self._password_files.items():
            yield "--add-scram"
            yield f"{_MECHANISM}=[name={_user(role)},password={file.read_text()}]"


def _user(role: Role) -> str:
    return f"flatline-{role}"


def _acl(role: Role, permission: Permission) -> ACL:
    pattern = ACLResourcePatternType.PREFIXED if permission.is_prefixed else ACLResourcePatternType.LITERAL
    resource = ResourcePattern(ResourceType[permission.kind.name], permission.name, pattern)
    operation = ACLOperation[permission.operation.name]
    return ACL(f"User:{_user(role)}", "*", operation, ACLPermissionType.ALLOW, resource)
