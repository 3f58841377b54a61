"""A real Kafka with a listener for each way in, right and wrong, and how clients come in by each."""

import ssl
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType, ScramMechanism, UserScramCredentialUpsertion

from flatline.local.kafka import _LOGGING, Kafka, _jvm
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process
from tests.kafka.bearer import AUDIENCE, ISSUER, Issuer
from tests.kafka.certificates import Authority
from tests.waiting import until

USER: Final = "flatline"
MECHANISMS: Final = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
PASSWORD: Final = "a-password-that-nobody-must-ever-see"
# What each listener's certificate is like.
SOUND, TOKENS, ASKING, EXPIRED, ELSEWHERE = "sound", "tokens", "asking", "expired", "elsewhere"
# Asks for a certificate beside the password or token, and ends each session after SESSION_MS: clients come in anew.
FLEETING: Final = "fleeting"
SESSION_MS: Final = 2_000
LISTENERS: Final = (SOUND, TOKENS, ASKING, FLEETING, EXPIRED, ELSEWHERE)
_AUTHORIZER_LOGGING: Final = """
appender.authorizer.type = File
appender.authorizer.name = authorizer
appender.authorizer.fileName = {file}
appender.authorizer.layout.type = PatternLayout
appender.authorizer.layout.pattern = %m%n
logger.authorizer.name = kafka.authorizer.logger
logger.authorizer.level = debug
logger.authorizer.additivity = false
logger.authorizer.appenderRef.file.ref = authorizer
"""
# Kafka reads keys from nowhere else.
_ALLOWED_URLS: Final = "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls"


class SecuredKafka(Kafka):
    """Listens with SASL_SSL (SOUND, TOKENS, EXPIRED, ELSEWHERE), with mTLS (ASKING), and in clear for the test itself.

    ``users`` are those that may come in with `PASSWORD`. The first of them may do everything; the others what they are
    given, or everything if ``is_open``.

    ``authorizations`` is a file that has a line for each decision of the authorizer.
    """

    def __init__(self, folder: Path, ports: Ports, *, users: tuple[str, ...], is_open: bool) -> None:
        super().__init__(folder / "kafka", ports)
        self._users = users
        self._is_open = is_open
        self._secrets = folder
        self.stranger = Authority(folder / "stranger")
        self.address = {name: f"{LOOPBACK}:{ports.claim(name)}" for name in LISTENERS}
        self.authorizations = folder / "authorizations.log"
        self.password_file = folder / "password"
        self.password_file.write_text(f"{PASSWORD}\n")
        self.issuer = Issuer(folder / "issuer")
        self.renew_certificates()

    def renew_certificates(self) -> None:
        """Put an authority and certificates of its into the files in which the former ones were."""
        self.authority = Authority(self._secrets / "authority")
        past = datetime(2020, 1, 1, tzinfo=UTC)
        self._identities = {
            SOUND: self.authority.issue(SOUND),
            TOKENS: self.authority.issue(TOKENS),
            ASKING: self.authority.issue(ASKING),
            FLEETING: self.authority.issue(FLEETING),
            EXPIRED: self.authority.issue(EXPIRED, not_after=past),
            ELSEWHERE: self.authority.issue(ELSEWHERE, "broker.elsewhere.example"),
        }

    def process(self) -> Process:
        """As that of any Kafka, with the authorizer's log."""
        process = super().process()
        logging = self._secrets / "log4j2.properties"
        logging.write_text(_LOGGING.read_text() + _AUTHORIZER_LOGGING.format(file=self.authorizations))
        option = "-Dlog4j2.configurationFile="
        java, *rest = (f"{option}{logging}" if each.startswith(option) else each for each in process.command)
        return replace(process, command=[java, f"{_ALLOWED_URLS}={self.issuer.file.as_uri()}", *rest])

    def load_certificates(self) -> None:
        """Have the running broker take those that are in the files now."""
        stores = {
            f"listener.name.{name}.ssl.{store}.location": str(path)
            for name in LISTENERS
            for store, path in (("keystore", self._identities[name].both), ("truststore", self.authority.file))
        }
        with KafkaAdminClient(bootstrap_servers=self.bootstrap) as admin:
            # The client does not know settings of a listener.
            resources = [ConfigResource(ConfigResourceType.BROKER, "1", configs=stores)]
            admin.alter_configs(resources, raise_on_unknown=False)
        # The broker answers before it has loaded them.
        for name in LISTENERS:
            until(f"{name} has its new certificate", partial(self._presents, name))

    def _presents(self, name: str) -> bool:
        host, _, port = self.address[name].rpartition(":")
        presented = ssl.get_server_certificate((host, int(port)))
        return presented.strip() == self._identities[name].certificate.read_text().strip()

    def change_password(self, user: str, password: str) -> None:
        """Have the running broker know a user by another password."""
        with KafkaAdminClient(bootstrap_servers=self.bootstrap) as admin:
            admin.alter_user_scram_credentials(
                [UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, password)]
            )

    def by_password(self, user: str, mechanism: str = "SCRAM-SHA-512", listener: str = SOUND) -> dict[str, str]:
        """Return the settings of somebody who comes in with the password."""
        return {
            "FLATLINE_KAFKA_BOOTSTRAP": self.address[listener],
            "FLATLINE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "FLATLINE_KAFKA_SASL_MECHANISM": mechanism,
            "FLATLINE_KAFKA_SASL_USERNAME": user,
            "FLATLINE_KAFKA_SASL_PASSWORD_FILE": str(self.password_file),
            "FLATLINE_KAFKA_SSL_CA_FILE": str(self.authority.file),
        }

    def by_token(self, token_file: Path) -> dict[str, str]:
        """Return the settings of somebody who comes in with a token."""
        return {
            "FLATLINE_KAFKA_BOOTSTRAP": self.address[TOKENS],
            "FLATLINE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "FLATLINE_KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            "FLATLINE_KAFKA_SASL_TOKEN_FILE": str(token_file),
            "FLATLINE_KAFKA_SSL_CA_FILE": str(self.authority.file),
        }

    def by_token_endpoint(self, url: str, client: str, secret_file: Path) -> dict[str, str]:
        """Return the settings of somebody who requests tokens."""
        settings = self.by_token(secret_file)
        del settings["FLATLINE_KAFKA_SASL_TOKEN_FILE"]
        return settings | {
            "FLATLINE_KAFKA_SASL_TOKEN_URL": url,
            "FLATLINE_KAFKA_SASL_CLIENT_ID": client,
            "FLATLINE_KAFKA_SASL_CLIENT_SECRET_FILE": str(secret_file),
        }

    def by_certificate(self, user: str, authority: Authority | None = None) -> dict[str, str]:
        """Return the settings of somebody who comes in with a certificate, of our authority or another one."""
        identity = (authority or self.authority).issue(f"client-{user}")
        return {
            "FLATLINE_KAFKA_BOOTSTRAP": self.address[ASKING],
            "FLATLINE_KAFKA_SECURITY_PROTOCOL": "SSL",
            "FLATLINE_KAFKA_SSL_CA_FILE": str(self.authority.file),
            "FLATLINE_KAFKA_SSL_CERTIFICATE_FILE": str(identity.certificate),
            "FLATLINE_KAFKA_SSL_KEY_FILE": str(identity.key),
        }

    def _properties(self) -> dict[str, object]:
        properties = super()._properties()
        protocols = {name: "SSL" if name == ASKING else "SASL_SSL" for name in LISTENERS}
        return {
            **properties,
            "listeners": ",".join(
                [str(properties["listeners"]), *(f"{name.upper()}://{at}" for name, at in self.address.items())]
            ),
            "listener.security.protocol.map": ",".join(
                [
                    str(properties["listener.security.protocol.map"]),
                    *(f"{name.upper()}:{protocol}" for name, protocol in protocols.items()),
                ]
            ),
            "sasl.enabled.mechanisms": ",".join(MECHANISMS),
            f"listener.name.{TOKENS}.sasl.enabled.mechanisms": "OAUTHBEARER",
            f"listener.name.{FLEETING}.sasl.enabled.mechanisms": "OAUTHBEARER,SCRAM-SHA-512",
            **{
                f"listener.name.{FLEETING}.{mechanism}.connections.max.reauth.ms": SESSION_MS
                for mechanism in ("oauthbearer", "scram-sha-512")
            },
            "ssl.allow.dn.changes": "true",
            "sasl.oauthbearer.jwks.endpoint.url": self.issuer.file.as_uri(),
            "sasl.oauthbearer.expected.issuer": ISSUER,
            "sasl.oauthbearer.expected.audience": AUDIENCE,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": str(self._is_open).lower(),
            "super.users": f"User:ANONYMOUS;User:{self._users[0]}",
            **{key: value for name in LISTENERS for key, value in self._listener(name).items()},
        }

    def _listener(self, name: str) -> Mapping[str, object]:
        prefix = f"listener.name.{name}"
        known = " ".join(f'user_{user}="{PASSWORD}"' for user in self._users)
        common = "org.apache.kafka.common.security"
        return {
            f"{prefix}.ssl.keystore.type": "PEM",
            f"{prefix}.ssl.keystore.location": self._identities[name].both,
            f"{prefix}.ssl.truststore.type": "PEM",
            f"{prefix}.ssl.truststore.location": self.authority.file,
            f"{prefix}.ssl.client.auth": "required" if name in (ASKING, FLEETING) else "none",
            f"{prefix}.oauthbearer.sasl.jaas.config": f"{common}.oauthbearer.OAuthBearerLoginModule required;",
            f"{prefix}.oauthbearer.sasl.server.callback.handler.class": (
                f"{common}.oauthbearer.OAuthBearerValidatorCallbackHandler"
            ),
            f"{prefix}.plain.sasl.jaas.config": f"{common}.plain.PlainLoginModule required {known};",
            f"{prefix}.scram-sha-512.sasl.jaas.config": f"{common}.scram.ScramLoginModule required;",
            f"{prefix}.scram-sha-256.sasl.jaas.config": f"{common}.scram.ScramLoginModule required;",
        }

    def _format(self, properties: Path) -> None:
        users = [
            option
            for user in self._users
            for mechanism in MECHANISMS
            if mechanism.startswith("SCRAM")
            for option in ("--add-scram", f"{mechanism}=[name={user},password={PASSWORD}]")
        ]
        format_it = ["kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", str(properties), *users]
        subprocess.run([*_jvm(heap_mb=128), *format_it], check=True, capture_output=True)
