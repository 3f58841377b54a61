import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from flatline.core import Core
from flatline.errors import FlatlineError
from flatline.kafka.security import Mechanism, Protocol, Security
from flatline.schema.heartbeat import PERIOD_S_MAX
from flatline.schema.instance import FORGET_AFTER_S_MAX, FORGET_AFTER_S_MIN, HOST_PATTERN
from flatline.schema.topics import Topics
from flatline.tls import ServerContext

if TYPE_CHECKING:
    from flatline.kafka.cluster import KafkaCluster

PREFIX = "FLATLINE_"
# What `flatline up` writes into its data folder while it runs, so that commands in other terminals find its servers.
ENV_FILE = "flatline.env"


class SettingsError(FlatlineError):
    """Settings can't be used. ``reasons``: of each setting, in its order; the message names their variables."""

    remedy = "Correct or unset the variable."

    def __init__(self, reasons: dict[str, str], given: Mapping[str, object]) -> None:
        self.reasons = reasons
        lines = [f"{variable_of(name)} is {_shown(given[name])!r}: {reason}" for name, reason in reasons.items()]
        super().__init__("\n".join(lines))


def _shown(given: object) -> str:
    """Return a value without the passwords of URLs."""
    return re.sub(r"(//[^/@:\s]*:)[^@\s]*@|(password=)[^&\s]*", r"\1\2…", str(given))


_SERVER = r"(\[[0-9A-Fa-f:.]+\]|[^\s,:\[\]]+):\d{1,5}"


def _bootstrap(value: str) -> str:
    if not re.fullmatch(rf"{_SERVER}(,{_SERVER})*", value):
        raise ValueError("expected host:port, or several with commas and no spaces between them")
    return value


def _namespace(value: str) -> str:
    # Kafka's own rule for topic names, shortened by the longest of our suffixes.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}", value):
        raise ValueError("expected up to 200 letters, digits, '.', '_' and '-', the first one a letter or digit")
    return value


def _summary_at(value: str) -> str:
    if not re.fullmatch(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("expected a day and a time, such as Mon 09:00")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("expected a name of the IANA time zone database, such as Europe/Paris") from None
    return value


def _http_url(value: str) -> str:
    if not re.fullmatch(rf"https?://([^\s/@]+@)?({_SERVER}|[^\s,:/@]+)(/[^\s?#]*)?", value):
        raise ValueError("expected http:// or https://, a host, and perhaps a port and a path")
    return value.rstrip("/")


def _host(value: str) -> str:
    bare = value.removeprefix("[").removesuffix("]")
    if not re.search(HOST_PATTERN, bare):
        raise ValueError("expected a host name or an IP address")
    return bare


def _contact(value: str) -> str:
    # It goes into a header, in parentheses.
    if not re.fullmatch(r"[!-'*-~]{3,200}", value):
        raise ValueError("expected a URL or a mail address")
    return value


def _networks(value: str) -> str:
    try:
        for network in value.split(","):
            ipaddress.ip_network(network.strip())
    except ValueError:
        raise ValueError("expected networks such as 10.1.0.0/16, separated by commas") from None
    return value


def _sites(value: str) -> str:
    try:
        return ",".join(_host(site.strip()) for site in value.split(","))
    except ValueError:
        raise ValueError("expected hosts such as yours.example, separated by commas") from None


def _postgresql_url(value: str) -> str:
    if not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("expected postgresql://, perhaps a user and @, a host, / and the name of a database")
    url = urlsplit(value)
    if url.password is not None or "password" in parse_qs(url.query):
        raise ValueError("settings hold no secrets: write the password into a file and add ?passfile= with its path")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """All settings of one installation: the environment first, then the running installation's file, then these.

    The variable of each is FLATLINE_ and its name in upper case.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    kafka_bootstrap: Annotated[str, AfterValidator(_bootstrap)] = Field(
        "127.0.0.1:9092", description="Kafka bootstrap servers, as host:port, separated by commas."
    )
    kafka_security_protocol: Protocol = Field(
        "PLAINTEXT", description="How Kafka is spoken to: PLAINTEXT, SSL, SASL_SSL or SASL_PLAINTEXT."
    )
    kafka_sasl_mechanism: Mechanism = Field(
        "SCRAM-SHA-512", description="With SASL: SCRAM-SHA-512, SCRAM-SHA-256, PLAIN or OAUTHBEARER."
    )
    kafka_sasl_username: str | None = Field(None, description="With SASL: the user name.")
    kafka_sasl_password_file: Path | None = Field(None, description="With SASL: file that holds the password.")
    kafka_sasl_token_file: Path | None = Field(
        None, description="With OAUTHBEARER: file that holds the token; whoever gets tokens replaces it in time."
    )
    kafka_sasl_token_url: HttpUrl | None = Field(
        None, description="With OAUTHBEARER: token endpoint of the identity provider, instead of a file with the token."
    )
    kafka_sasl_client_id: str | None = Field(None, description="With a token endpoint: the client's id there.")
    kafka_sasl_client_secret_file: Path | None = Field(
        None, description="With a token endpoint: file that holds the client's secret."
    )
    kafka_sasl_token_scope: str | None = Field(
        None, description="With a token endpoint: the scope to request, where the provider wants one."
    )
    kafka_ssl_ca_file: Path | None = Field(
        None, description="Certificates (PEM) of the authorities that sign the brokers'; else those of the system."
    )
    kafka_ssl_certificate_file: Path | None = Field(
        None, description="Certificate (PEM) by which brokers know us, where they ask for one (mTLS)."
    )
    kafka_ssl_key_file: Path | None = Field(None, description="The key (PEM, not encrypted) of that certificate.")
    namespace: Annotated[str, AfterValidator(_namespace)] = Field(
        "flatline",
        description="Prefix of all topics, and name of the consumer group. Several installations can share a cluster.",
    )
    partitions: int = Field(
        8,
        ge=1,
        le=1000,
        description="Partitions of new topics that are keyed by article; change it with `flatline topics repartition`.",
    )
    replication_factor: int = Field(1, ge=1, le=32767, description="Replicas of each partition. Use 3 in production.")
    retention_days: int | None = Field(
        None, ge=1, le=100_000, description="How long Kafka keeps links and visits; for ever if not set."
    )
    data_dir: Path = Field(Path(".flatline"), description="Folder for all data that Flatline stores on this machine.")
    workers: int = Field(1, ge=1, description="Number of workers that `flatline up` starts. They share the partitions.")
    worker_host: str = Field("127.0.0.1", description="Address of the worker's /metrics, /livez and /readyz.")
    worker_port: Port = Field(8711, description="Port of the worker's /metrics, /livez and /readyz.")
    advertised_host: Annotated[str, AfterValidator(_host)] | None = Field(
        None,
        description="Host at which Prometheus reaches this process; else the address that it listens on.",
    )
    forget_instance_after_s: float = Field(
        86_400,
        ge=FORGET_AFTER_S_MIN,
        le=FORGET_AFTER_S_MAX,
        description="How long Prometheus is told of a process that died, so that its alert goes on.",
    )
    tls_certificate_file: Path | None = Field(
        None,
        description="Certificate (PEM, with its chain) of worker, ingest and API, which then speak HTTPS only.",
    )
    tls_key_file: Path | None = Field(None, description="The key (PEM, not encrypted) of that certificate.")
    tls_ca_file: Path | None = Field(
        None, description="Certificates (PEM) of the authorities that `flatline doctor` trusts beside the system's."
    )
    ingest_host: str = Field("127.0.0.1", description="Address that the ingest listens on.")
    ingest_port: Port = Field(8710, description="Port that the ingest listens on.")
    ingest_tokens_file: Path | None = Field(None, description="File with the tokens that may push.")
    ingest_no_auth: bool = Field(False, description="Whether anyone on this machine may push without a token.")
    ingest_heartbeat_period_s: float = Field(
        86_400, gt=0, le=PERIOD_S_MAX, description="Heartbeat period of sources whose heartbeats have never named one."
    )
    ingest_max_body_bytes: int = Field(
        8_388_608, ge=1, description="Maximum size of a request body, compressed or not."
    )
    ingest_max_batch_events: int = Field(10_000, ge=1, description="Maximum number of events in a request.")
    ingest_max_events_per_s: float = Field(
        20_000, gt=0, description="Maximum events per second for each token's source."
    )
    ingest_max_bytes_per_s: float = Field(
        33_554_432, gt=0, description="Maximum bytes per second for each token's source, decompressed."
    )
    ingest_max_requests: int = Field(64, ge=1, description="Maximum number of concurrent requests.")
    ingest_max_bytes_in_flight: int = Field(
        67_108_864, ge=1, description="Maximum total size of request bodies that were received but not yet answered."
    )
    ingest_max_connections: int = Field(
        512, ge=1, description="Maximum number of connections; a new one replaces the oldest without a valid token."
    )
    ingest_header_timeout_s: float = Field(10, gt=0, description="Time within which the head of a request must arrive.")
    ingest_body_timeout_s: float = Field(30, gt=0, description="Time within which the body of a request must arrive.")
    ingest_idle_timeout_s: float = Field(75, gt=0, description="How long a connection may be idle between requests.")
    ingest_webmention_sites: Annotated[str, AfterValidator(_sites)] | None = Field(
        None,
        description="Sites of yours for which /webmention receives Webmentions, separated by commas; else none are.",
    )
    ingest_webmention_io_secret_file: Path | None = Field(
        None, description="File with the secret of webmention.io's web hook, which /webmention-io takes; else none is."
    )
    serve_host: str = Field("127.0.0.1", description="Address that `flatline serve` listens on.")
    serve_port: Port = Field(8709, description="Port that `flatline serve` listens on.")
    serve_tokens_file: Path | None = Field(
        None,
        description="File with the tokens that may use the API; without it, this machine alone may read and write.",
    )
    serve_query_timeout_s: float = Field(
        5.0, gt=0, le=300, description="Maximum time that a query of the API may take."
    )
    api_token_file: Path | None = Field(
        None, description="File with the token that commands send to the API, where it needs one."
    )
    readmodel_url: Annotated[str, AfterValidator(_postgresql_url)] | None = Field(
        None,
        description="PostgreSQL database for the read model, as postgresql://user@host/database; else it is a file.",
    )
    connect_host: str = Field("127.0.0.1", description="Address of the /metrics and /readyz of `flatline connect run`.")
    connect_port: Port = Field(8708, description="Port of the /metrics and /readyz of `flatline connect run`.")
    connectors_file: Path = Field(
        Path("connectors.toml"), description="File that names the connectors which `flatline connect run` runs."
    )
    fetch_contact: Annotated[str, AfterValidator(_contact)] | None = Field(
        None,
        description="URL or mail address in the User-Agent when pages are fetched; else the address of the site.",
    )
    fetch_networks: Annotated[str, AfterValidator(_networks)] | None = Field(
        None,
        description="Networks that are not public but may be fetched from, as 10.1.0.0/16, separated by commas.",
    )
    slack_webhook_url_file: Path | None = Field(
        None, description="File with the URL of a Slack webhook; without it, alerts stay in Alertmanager."
    )
    summary_at: Annotated[str, AfterValidator(_summary_at)] | None = Field(
        None,
        description="When `flatline serve` sends the summary of the week to Slack, as 'Mon 09:00'; else it does not. "
        "For one process of an installation.",
    )
    summary_time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        "UTC", description="Time zone of the summary's days and of its time, such as Europe/Paris."
    )
    prometheus_url: HttpUrl | None = Field(
        None, description="Prometheus that `flatline doctor` queries; `flatline up` sets it for its own."
    )
    alertmanager_url: HttpUrl | None = Field(
        None,
        description="Alertmanager in which `flatline serve` silences alerts, and that `flatline doctor` queries; "
        "`flatline up` sets it for its own.",
    )
    grafana_url: HttpUrl = Field(
        "http://127.0.0.1:3000", description="Address of Grafana, for the links to dashboards in alerts."
    )
    page_url: HttpUrl = Field(
        "http://127.0.0.1:8709",
        description="Address of the page and the API, for links in alerts and for commands; `flatline up` sets it.",
    )
    core: Core = Field(
        Core.AUTO,
        description="What reads link records: native (in Rust), python (slower, the same results), or auto: native "
        "where it is installed.",
    )
    session_timeout_s: float = Field(
        20, ge=6, le=1_800, description="How long a worker may be unreachable before others take over its partitions."
    )
    policy_file: Path | None = Field(
        None,
        description="File with thresholds and what to ignore (`flatline policy show` prints one); else the defaults.",
    )
    blog_platforms: Annotated[str, AfterValidator(_sites)] | None = Field(
        None,
        description="Registrable domains whose subdomains have different owners, separated by commas, beside those "
        "that Flatline knows. All processes need the same.",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How worker, ingest, serve and connect log to stderr: text, or json, an object a line."
    )
    watch_list_size: int = Field(125, ge=0, description="Number of articles that have their own metrics on a worker.")
    clock_file: Path | None = Field(
        None, description="File with the time of a simulation, in RFC 3339; else the wall clock."
    )
    clock_speed: float = Field(
        1.0,
        gt=0,
        allow_inf_nan=False,
        description="Maximum speed relative to the wall clock; waiting times of alerts shrink accordingly.",
    )

    @property
    def topics(self) -> Topics:
        """The topics of the installation."""
        return Topics(
            namespace=self.namespace,
            partitions=self.partitions,
            replication_factor=self.replication_factor,
            retention_days=self.retention_days,
        )

    @property
    def security(self) -> Security:
        """How Kafka is spoken to. Raises ValueError where its settings don't fit together."""
        return Security(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_sasl_username,
            password_file=self.kafka_sasl_password_file,
            token_file=self.kafka_sasl_token_file,
            token_url=self.kafka_sasl_token_url,
            client_id=self.kafka_sasl_client_id,
            client_secret_file=self.kafka_sasl_client_secret_file,
            token_scope=self.kafka_sasl_token_scope,
            ca_file=self.kafka_ssl_ca_file,
            certificate_file=self.kafka_ssl_certificate_file,
            key_file=self.kafka_ssl_key_file,
        )

    @model_validator(mode="after")
    def _check_security(self) -> Self:
        assert self.security
        return self

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What the worker and the ingest speak."""
        return "http" if self.tls_certificate_file is None else "https"

    @property
    def server_context(self) -> ServerContext | None:
        """What the worker and the ingest serve with; None is plain HTTP. Raises CertificateError."""
        if self.tls_certificate_file is None or self.tls_key_file is None:
            return None
        return ServerContext(self.tls_certificate_file, self.tls_key_file)

    @field_validator("tls_key_file")
    @classmethod
    def _check_tls(cls, key_file: Path | None, given: ValidationInfo) -> Path | None:
        if (key_file is None) != (given.data.get("tls_certificate_file") is None):
            raise ValueError("FLATLINE_TLS_CERTIFICATE_FILE and FLATLINE_TLS_KEY_FILE are set together or not at all")
        return key_file

    @property
    def cluster(self) -> "KafkaCluster":
        """What makes all Kafka clients."""
        from flatline.kafka.cluster import KafkaCluster  # noqa: PLC0415 - it brings whole clients along

        return KafkaCluster(self.kafka_bootstrap, self.security)

    def environment(self) -> dict[str, str]:
        """Return the variables that make another process load these very settings."""
        return {variable_of(name): str(value) for name, value in self if value is not None}

    def dotenv(self) -> str:
        """Return `environment` as the lines of a file that `load_settings` reads."""
        quoted = {name: value.replace("\\", "\\\\").replace("'", "\\'") for name, value in self.environment().items()}
        return "".join(f"{name}='{value}'\n" for name, value in quoted.items())


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def load_settings(data_dir: Path | None = None, *, of_running: bool = True, **given: object) -> Settings:
    """Read the settings of the installation in ``data_dir`` (else that of FLATLINE_DATA_DIR, else .flatline).

    What is ``given`` stands above the environment. With ``of_running`` what `flatline up` says about the installation
    it runs there fills what the environment leaves open. Raises SettingsError.
    """
    given |= {} if data_dir is None else {"data_dir": data_dir}
    try:
        settings = Settings.model_validate(given)
        if not of_running:
            return settings

        class RunningSettings(Settings):
            model_config = SettingsConfigDict(env_file=settings.data_dir / ENV_FILE)

        return RunningSettings.model_validate(given | {"data_dir": settings.data_dir})
    except ValidationError as error:
        causes = {str(cause["loc"][0]) if cause["loc"] else _OF_SEVERAL: cause for cause in error.errors()}
        raise SettingsError(
            {name: _reason(cause["msg"]) for name, cause in causes.items()},
            {name: _input(name, cause["input"]) for name, cause in causes.items()},
        ) from None


# What does not fit together is told of this one.
_OF_SEVERAL = "kafka_security_protocol"


def _input(name: str, given: Any) -> object:
    return given.get(name, Settings.model_fields[name].default) if isinstance(given, dict) else given


def _reason(message: str) -> str:
    reason = message.removeprefix("Value error, ")
    return reason[0].lower() + reason[1:]
