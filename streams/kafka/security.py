"""How connections to Kafka are protected, and as whom they are made."""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from flatline.kafka.secret_file import PREFIX, SecretFile, unreadable
from flatline.kafka.token_endpoint import TokenEndpoint

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN", "OAUTHBEARER"]


@dataclass(frozen=True, kw_only=True)
class Security:
    """The protocol, and the files of what it needs. Raises ValueError where these don't fit together."""

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret_file: Path | None = None
    token_scope: str | None = None
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        """Refuse what is missing, and what would be ignored: whoever sets it believes to be protected by it."""
        sasl: dict[str, object] = {"SASL_USERNAME": self.username, "SASL_PASSWORD_FILE": self.password_file}
        file: dict[str, object] = {"SASL_TOKEN_FILE": self.token_file}
        client: dict[str, object] = {
            "SASL_CLIENT_ID": self.client_id,
            "SASL_CLIENT_SECRET_FILE": self.client_secret_file,
        }
        endpoint: dict[str, object] = {"SASL_TOKEN_URL": self.token_url, **client, "SASL_TOKEN_SCOPE": self.token_scope}
        tls: dict[str, object] = {
            "SSL_CA_FILE": self.ca_file,
            "SSL_CERTIFICATE_FILE": self.certificate_file,
            "SSL_KEY_FILE": self.key_file,
        }
        if not self.has_tls:
            self._refuse(tls, "SSL and SASL_SSL")
        if not self.has_sasl:
            self._refuse(sasl | file | endpoint, "SASL_SSL and SASL_PLAINTEXT")
        elif self.mechanism != "OAUTHBEARER":
            self._refuse(file | endpoint, "OAUTHBEARER")
            self._require(sasl)
        elif self.token_url is None:
            self._refuse(endpoint, f"{PREFIX}SASL_TOKEN_URL")
            if self.token_file is None:
                raise ValueError(f"with OAUTHBEARER it needs {PREFIX}SASL_TOKEN_FILE or {PREFIX}SASL_TOKEN_URL")
        else:
            self._refuse(file, f"OAUTHBEARER without {PREFIX}SASL_TOKEN_URL")
            self._require(client)
            self._refuse_in_clear(self.token_url)
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError(f"it needs both {PREFIX}SSL_CERTIFICATE_FILE and {PREFIX}SSL_KEY_FILE, or neither")

    def _refuse(self, values: dict[str, object], protocols: str) -> None:
        for name, value in values.items():
            if value is not None:
                raise ValueError(f"it makes no use of {PREFIX}{name}, which is set: that is for {protocols}")

    def _refuse_in_clear(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
            raise ValueError(f"{PREFIX}SASL_TOKEN_URL has to begin with https://: the client's secret is sent there")

    def _require(self, values: dict[str, object]) -> None:
        for name, value in values.items():
            if value is None:
                raise ValueError(f"with {self.mechanism} it needs {PREFIX}{name}, which is not set")

    @property
    def has_tls(self) -> bool:
        """Whether connections are encrypted."""
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def has_sasl(self) -> bool:
        """Whether clients say who they are with a password or a token."""
        return self.protocol.startswith("SASL_")

    @property
    def secret(self) -> SecretFile | TokenEndpoint | None:
        """Where the password or the token comes from."""
        if not self.has_sasl:
            return None
        if self.token_url is not None:
            assert self.client_id is not None, "checked above"
            assert self.client_secret_file is not None, "checked above"
            return TokenEndpoint(
                url=self.token_url,
                client_id=self.client_id,
                secret=SecretFile(path=self.client_secret_file, setting=f"{PREFIX}SASL_CLIENT_SECRET_FILE"),
                scope=self.token_scope,
                ca_file=self.ca_file,
            )
        if self.mechanism == "OAUTHBEARER":
            assert self.token_file is not None, "checked above"
            return SecretFile(path=self.token_file, setting=f"{PREFIX}SASL_TOKEN_FILE")
        assert self.password_file is not None, "checked above"
        return SecretFile(path=self.password_file, setting=f"{PREFIX}SASL_PASSWORD_FILE")

    def check_credentials(self) -> None:
        """Raise CredentialError where a file is missing or of no use, or no token can be had."""
        if self.secret is not None:
            self.secret.read()
        if self.has_tls:
            self.tls_context()

    def tls_context(self) -> ssl.SSLContext:
        """Return a new context from the files as they are now. Raises UnreadableFileError."""
        try:
            # TLS 1.2 at least; certificate and host name are checked. None means the system's authorities.
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise unreadable(f"{PREFIX}SSL_CA_FILE", self.ca_file, error) from None
        try:
            if self.certificate_file is not None:
                # An encrypted key would have OpenSSL ask for its password at the terminal.
                context.load_cert_chain(self.certificate_file, self.key_file, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            files = f"{self.certificate_file} with {PREFIX}SSL_KEY_FILE {self.key_file}"
            raise unreadable(f"{PREFIX}SSL_CERTIFICATE_FILE", files, error) from None
        return context


class FreshContext(ssl.SSLContext):
    """A context that each connection makes anew from the files: a certificate that was replaced is used at once."""

    _security: Security

    def __new__(cls, security: Security) -> Self:
        """Return one for connections of that kind."""
        context = super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)
        context._security = security
        return context

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        """As of `ssl.SSLContext`. Raises UnreadableFileError as well."""
        return self._security.tls_context().wrap_socket(*arguments, **options)

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """As of `ssl.SSLContext`. Raises UnreadableFileError as well."""
        return self._security.tls_context().wrap_bio(*arguments, **options)


def _no_password() -> str:
    raise ValueError("the key is encrypted; give the file of one that is not")
