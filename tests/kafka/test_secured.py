"""Everything with a Kafka that lets in only who can say who they are, and that clients know by its certificate."""

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Self

import orjson
import pytest
from kafka.errors import KafkaError, KafkaTimeoutError

from flatline import cli
from flatline.kafka import access, endless_waits
from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.security import Security
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.supervisor import Supervisor
from flatline.schema.topics import Topics
from tests.api.test_kills import Serving
from tests.connectors.pushing import RunningIngest, running_ingest
from tests.connectors.runtime.test_connect import ARTICLE, connectors_file, drop, running
from tests.integration.running import FLATLINE, Installation
from tests.kafka.bearer import Issuer
from tests.kafka.events import line_of
from tests.kafka.secured import (
    ELSEWHERE,
    EXPIRED,
    FLEETING,
    MECHANISMS,
    PASSWORD,
    SESSION_MS,
    SOUND,
    USER,
    SecuredKafka,
)
from tests.kafka.token_server import CLIENT, SECRET, TokenServer
from tests.local.observing import children_of, standing_still
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.servers
ROTATING = "rotating"
IMPORTED, PUSHED = "https://imported.example/a", "https://pushed.example/b"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """Run one for all tests of this file."""
    folder = tmp_path_factory.mktemp("secured")
    with Supervisor(folder / "logs", say=print) as supervisor:
        kafka = SecuredKafka(folder, Ports(folder / "ports.json"), users=(USER, ROTATING), is_open=True)
        supervisor.start(kafka.process())
        yield kafka


def settings_of(kafka: SecuredKafka, way: str) -> dict[str, str]:
    """Return the settings of one way in."""
    if way == "OAUTHBEARER":
        token = kafka.issuer.file.with_name("token")
        token.write_text(kafka.issuer.token(USER))
        return kafka.by_token(token)
    return kafka.by_certificate(USER) if way == "mTLS" else kafka.by_password(USER, way)


@pytest.mark.parametrize("way", [*MECHANISMS, "mTLS", "OAUTHBEARER"])
def test_everything_works_to_a_verdict(kafka: SecuredKafka, way: str, namespace: str, tmp_path: Path) -> None:
    """Topics, import, ingest, worker, verdicts and doctor, with each way of coming in; no log holds the password."""
    settings = settings_of(kafka, way) | {"FLATLINE_PARTITIONS": "1"}
    topics = Topics(namespace=namespace, partitions=1)
    with Installation(settings["FLATLINE_KAFKA_BOOTSTRAP"], namespace, tmp_path, **settings) as installation:
        installation.run("topics", "check")
        installation.run("links", "import", "-", stdin=line_of(IMPORTED))
        with running_ingest(installation.environment, topics, tmp_path) as ingest:
            assert ingest.push(line_of(PUSHED)).status == 200
            installation.start(1)
            installation.wait_ready(1)
            assert installation.articles().keys() == {IMPORTED, PUSHED}
            doctor = map(orjson.loads, run("doctor", "--json", **installation.environment).stdout.splitlines())
            said = {found["what"]: found["sign"] for found in doctor if found["what"] in KAFKAS}
            assert said == dict.fromkeys(KAFKAS, "fine")
            logs = ingest.log() + installation.log(1)
    assert PASSWORD not in logs


KAFKAS = ("Kafka", "topics", "consumer group", "consumer lag")


def run(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end, whatever that is."""
    return subprocess.run(
        [FLATLINE, *arguments], env=environment, input=stdin, capture_output=True, check=False, timeout=PATIENCE_S
    )


@pytest.fixture
def environment(namespace: str, tmp_path: Path) -> dict[str, str]:
    """Return the environment of a command, without the settings of Kafka."""
    return {**os.environ, "FLATLINE_NAMESPACE": namespace, "FLATLINE_DATA_DIR": str(tmp_path)}


def made_wrong(kafka: SecuredKafka, folder: Path, fault: str) -> dict[str, str]:
    """Return settings that are right but for one thing."""
    wrong, missing = folder / "wrong", str(folder / "missing")
    wrong.write_text("not-the-password")
    password, certificate = kafka.by_password(USER), kafka.by_certificate(USER)
    tokens = {
        "expired token": kafka.issuer.token(USER, expires_in_s=-600),
        "token of another issuer": Issuer(folder / "another").token(USER),
        "token for others": kafka.issuer.token(USER, audience="others"),
        "no token": "not-a-token",
    }
    if fault in tokens:
        (folder / "token").write_text(tokens[fault])
        return kafka.by_token(folder / "token")
    return {
        "authority": password | {"FLATLINE_KAFKA_SSL_CA_FILE": str(kafka.stranger.file)},
        "system's authorities": {name: value for name, value in password.items() if "CA_FILE" not in name},
        "expired": kafka.by_password(USER, listener=EXPIRED),
        "host name": kafka.by_password(USER, listener=ELSEWHERE),
        "password": password | {"FLATLINE_KAFKA_SASL_PASSWORD_FILE": str(wrong)},
        "password of PLAIN": kafka.by_password(USER, "PLAIN") | {"FLATLINE_KAFKA_SASL_PASSWORD_FILE": str(wrong)},
        "user": password | {"FLATLINE_KAFKA_SASL_USERNAME": "nobody"},
        "our authority": kafka.by_certificate(USER, kafka.stranger),
        "no certificate": {
            name: value for name, value in certificate.items() if "CERT" not in name and "KEY" not in name
        },
        "no token file": kafka.by_token(folder / "missing"),
        "no tokens there": kafka.by_token(wrong) | {"FLATLINE_KAFKA_BOOTSTRAP": kafka.address[SOUND]},
        "no TLS there": password | {"FLATLINE_KAFKA_BOOTSTRAP": kafka.bootstrap},
        "no password file": password | {"FLATLINE_KAFKA_SASL_PASSWORD_FILE": missing},
        "no authorities' file": password | {"FLATLINE_KAFKA_SSL_CA_FILE": missing},
        "no authority in it": password | {"FLATLINE_KAFKA_SSL_CA_FILE": str(wrong)},
        "no key file": certificate | {"FLATLINE_KAFKA_SSL_KEY_FILE": missing},
    }[fault]


NAMED = {
    "authority": "certificate is not to be trusted .*FLATLINE_KAFKA_SSL_CA_FILE",
    "system's authorities": "certificate is not to be trusted .*FLATLINE_KAFKA_SSL_CA_FILE",
    "expired": "certificate has expired",
    "host name": "IP address mismatch.*FLATLINE_KAFKA_BOOTSTRAP",
    "password": "FLATLINE_KAFKA_SASL_PASSWORD_FILE",
    "password of PLAIN": "FLATLINE_KAFKA_SASL_PASSWORD_FILE",
    "user": "FLATLINE_KAFKA_SASL_USERNAME",
    "our authority": "does not accept our certificate.*FLATLINE_KAFKA_SSL_CERTIFICATE_FILE",
    "no certificate": "does not accept our certificate.*FLATLINE_KAFKA_SSL_CERTIFICATE_FILE",
    "expired token": "does not accept who we say we are.*FLATLINE_KAFKA_SASL_TOKEN_FILE",
    "token of another issuer": "does not accept who we say we are.*FLATLINE_KAFKA_SASL_TOKEN_FILE",
    "token for others": "does not accept who we say we are.*FLATLINE_KAFKA_SASL_TOKEN_FILE",
    "no token": "does not accept who we say we are.*FLATLINE_KAFKA_SASL_TOKEN_FILE",
    "no token file": "FLATLINE_KAFKA_SASL_TOKEN_FILE: .*missing",
    "no tokens there": "does not know FLATLINE_KAFKA_SASL_MECHANISM=OAUTHBEARER",
    "no TLS there": "FLATLINE_KAFKA_SECURITY_PROTOCOL=SASL_SSL",
    "no password file": "FLATLINE_KAFKA_SASL_PASSWORD_FILE: .*missing",
    "no authorities' file": "FLATLINE_KAFKA_SSL_CA_FILE: .*missing",
    "no authority in it": "FLATLINE_KAFKA_SSL_CA_FILE: .*wrong",
    "no key file": "FLATLINE_KAFKA_SSL_KEY_FILE .*missing",
}


@pytest.mark.parametrize("fault", NAMED)
def test_a_command_that_is_not_let_in_says_why(
    kafka: SecuredKafka, environment: dict[str, str], tmp_path: Path, fault: str
) -> None:
    """One attempt, exit code 1, and the setting to be corrected; neither password in what is said."""
    done = run("topics", "check", **environment, **made_wrong(kafka, tmp_path, fault))
    said = done.stderr.decode()
    assert (done.returncode, bool(re.search(NAMED[fault], said, re.DOTALL))) == (1, True), said
    assert PASSWORD not in said
    assert "not-the-password" not in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "command", ["worker", "ingest --no-auth", "links import -", "articles list", "doctor", "state rebuild"]
)
def test_no_command_tries_for_ever(
    kafka: SecuredKafka, environment: dict[str, str], tmp_path: Path, command: str
) -> None:
    """Each of them ends with the same words at once, those too that run until they are told to stop."""
    wrong = tmp_path / "wrong"
    wrong.write_text("not-the-password")
    settings = kafka.by_password(USER) | {"FLATLINE_KAFKA_SASL_PASSWORD_FILE": str(wrong)}
    done = run(*command.split(), stdin=line_of(IMPORTED), **environment | settings)
    said = " ".join((done.stdout + done.stderr).decode().split())
    assert (done.returncode, "does not accept who we say we are" in said) == (1, True), said


def test_who_is_let_in_no_longer_is_told_why(
    kafka: SecuredKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the middle of a command a client only says that its time is up."""
    for name, value in made_wrong(kafka, tmp_path, "authority").items():
        monkeypatch.setenv(name, value)

    def fail() -> None:
        raise KafkaTimeoutError("Failed to get offsets")

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    assert re.search(NAMED["authority"], capsys.readouterr().err, re.DOTALL)


@pytest.mark.parametrize("fault", ["authority", "password of PLAIN"])
def test_nothing_is_sent_in_clear(kafka: SecuredKafka, environment: dict[str, str], tmp_path: Path, fault: str) -> None:
    """On the wire there is neither name nor password, whether the broker is trusted or not."""
    settings = made_wrong(kafka, tmp_path, fault)
    with Wire(settings["FLATLINE_KAFKA_BOOTSTRAP"]) as wire:
        done = run("topics", "check", **environment | settings | {"FLATLINE_KAFKA_BOOTSTRAP": wire.address})
    assert done.returncode == 1
    assert wire.sent, "the command spoke to the broker through it"
    for secret in (USER, PASSWORD, "not-the-password"):
        assert secret.encode() not in wire.sent


class Wire:
    """Stands between a client and a server, and keeps what the client sends."""

    def __init__(self, server: str) -> None:
        host, _, port = server.rpartition(":")
        self._server = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.sent = bytearray()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(self._server)
            threading.Thread(target=self._pass_on, args=(client, server, self.sent), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, bytearray()), daemon=True).start()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
        with closing(source), closing(target):
            try:
                while data := source.recv(65_536):
                    kept += data
                    target.sendall(data)
            except OSError:
                return


@contextmanager
def at_work(settings: dict[str, str], namespace: str, folder: Path) -> Iterator[tuple[Installation, RunningIngest]]:
    """Run a worker and an ingest by these settings, which have one partition; one article is pushed and judged."""
    topics = Topics(namespace=namespace, partitions=1)
    with (
        Installation(settings["FLATLINE_KAFKA_BOOTSTRAP"], namespace, folder, **settings) as installation,
        running_ingest(installation.environment, topics, folder) as ingest,
    ):
        installation.start(1)
        installation.wait_ready(1)
        assert ingest.push(line_of(IMPORTED)).status == 200
        assert installation.articles().keys() == {IMPORTED}
        yield installation, ingest


Away = Callable[[SecuredKafka, Path], AbstractContextManager[None]]


@contextmanager
def password_changed_before_the_file(kafka: SecuredKafka, secret: Path) -> Iterator[None]:
    """Have the broker refuse everybody in the block."""
    kafka.change_password(ROTATING, "two")
    try:
        yield
    finally:
        secret.write_text("two")


@contextmanager
def broker_standing_still(kafka: SecuredKafka, _secret: Path) -> Iterator[None]:
    """Have the broker take connections in the block, and say nothing."""
    [broker] = [pid for pid, line in children_of(os.getpid()).items() if str(kafka.password_file.parent) in line]
    with standing_still(broker):
        yield


@pytest.mark.parametrize("away", [password_changed_before_the_file, broker_standing_still])
def test_everything_goes_on_when_the_broker_is_back(
    kafka: SecuredKafka, namespace: str, tmp_path: Path, away: Away
) -> None:
    """Meanwhile the ingest says that it can't take events. Then it, a worker, a connector and the API go on."""
    secret = tmp_path / "secret"
    kafka.change_password(ROTATING, "one")
    secret.write_text("one")
    file = connectors_file(tmp_path, exports="drop")
    file.write_text(f'{file.read_text()}every = "1s"\n')
    settings = kafka.by_certificate(USER) | kafka.by_password(ROTATING, listener=FLEETING)
    settings |= {"FLATLINE_KAFKA_SASL_PASSWORD_FILE": str(secret), "FLATLINE_PARTITIONS": "1"}
    settings |= {"FLATLINE_CONNECTORS_FILE": str(file)}
    with at_work(settings, namespace, tmp_path) as (installation, ingest):
        api, port = Serving(installation, tmp_path), Ports(tmp_path / "ports.json").claim("connect")
        with api.running(signal.SIGKILL), running(installation.environment, tmp_path, port):
            until("the API answers", api.holds_all)
            with away(kafka, secret):
                drop(tmp_path / "drop", "a.ndjson", "https://a.example/", "https://b.example/")
                until("the ingest is refused", lambda: ingest.push(line_of(PUSHED)).status == 503)
            until("the ingest takes events again", lambda: ingest.push(line_of(PUSHED)).status == 200)
            until("all have verdicts", lambda: installation.articles().keys() == {IMPORTED, PUSHED, ARTICLE})
            links = {IMPORTED: (1, 0, 1), PUSHED: (1, 0, 1), ARTICLE: (2, 0, 2)}
            until("the API has all links", lambda: api.holds_all() and api.counts() == links)
        assert installation.log(1).count("metrics and health:") == 1, "the worker was not started again"


def test_a_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is made, and then there is no answer to the beginning of TLS."""
    monkeypatch.setattr(access, "_ANSWER_MS", 200)
    monkeypatch.setattr(endless_waits, "_HANDSHAKE_WITHIN_S", 0.2)
    ended: queue.Queue[Exception] = queue.Queue()

    def connect() -> None:
        try:
            KafkaCluster(address, Security(protocol="SSL")).admin(bootstrap_timeout_ms=500)
        except KafkaError as error:
            ended.put(error)

    with socket.create_server((LOOPBACK, 0)) as silent:
        address = f"{LOOPBACK}:{silent.getsockname()[1]}"
        threading.Thread(target=connect, daemon=True).start()
        assert "Unable to bootstrap" in str(ended.get(timeout=PATIENCE_S))


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "OAUTHBEARER"])
def test_files_are_replaced_while_everything_runs(
    kafka: SecuredKafka, mechanism: str, namespace: str, tmp_path: Path
) -> None:
    """Authority, certificates on both sides, and the password or the token: what comes afterwards is taken and judged.

    The broker ends each session after two seconds: everybody has to come in again, with what is in the files then.
    """
    secret = tmp_path / "secret"
    by_token = mechanism == "OAUTHBEARER"
    secret.write_text(kafka.issuer.token("before") if by_token else PASSWORD)
    settings = kafka.by_certificate(USER) | (kafka.by_token(secret) if by_token else kafka.by_password(ROTATING))
    settings |= {"FLATLINE_KAFKA_BOOTSTRAP": kafka.address[FLEETING], "FLATLINE_PARTITIONS": "1"}
    if not by_token:
        kafka.change_password(ROTATING, PASSWORD)  # another test may have changed it
        settings["FLATLINE_KAFKA_SASL_PASSWORD_FILE"] = str(secret)
    topics = Topics(namespace=namespace, partitions=1)
    with at_work(settings, namespace, tmp_path) as (installation, ingest):
        former = installation.environment | copies_of(settings, tmp_path / "former")

        kafka.renew_certificates()
        kafka.by_certificate(USER)
        kafka.load_certificates()
        if by_token:
            secret.write_text(kafka.issuer.token("after"))
        else:
            kafka.change_password(ROTATING, "another-password")
            secret.write_text("another-password")

        assert "is not to be trusted" in run("topics", "check", **former).stderr.decode()
        # From then on the broker takes no request of a former session.
        ended_s = time.monotonic() + SESSION_MS / 1000
        until("the former sessions are over", lambda: time.monotonic() > ended_s)
        assert ingest.push(line_of(PUSHED)).status == 200
        until("both have verdicts", lambda: installation.articles().keys() == {IMPORTED, PUSHED})
        if by_token:
            written = f"User:after is Allowed operation = WRITE .*Topic:LITERAL:{topics.links.name} "
            assert re.search(written, kafka.authorizations.read_text())


def test_tokens_are_requested_and_replaced_while_everything_runs(
    kafka: SecuredKafka, namespace: str, tmp_path: Path
) -> None:
    """Sessions end after two seconds, tokens are replaced after eight: what comes afterwards is taken and judged.

    When the identity provider no longer gives any, a command says which settings to look at.
    """
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with TokenServer(lambda: kafka.issuer.token(USER, expires_in_s=10), lives_s=10) as server:
        settings = kafka.by_certificate(USER) | kafka.by_token_endpoint(server.url, CLIENT, secret)
        settings |= {"FLATLINE_KAFKA_BOOTSTRAP": kafka.address[FLEETING], "FLATLINE_PARTITIONS": "1"}
        with at_work(settings, namespace, tmp_path) as (installation, ingest):
            before = server.issued
            until("worker and ingest have other tokens", lambda: server.issued >= before + 2)
            assert ingest.push(line_of(PUSHED)).status == 200
            until("both have verdicts", lambda: installation.articles().keys() == {IMPORTED, PUSHED})
            server.secret = "another one"
            done = run("topics", "check", **installation.environment)
            assert done.returncode == 1
            assert "401, invalid_client): see FLATLINE_KAFKA_SASL_CLIENT_ID" in done.stderr.decode()
            logs = ingest.log() + installation.log(1)
    assert SECRET not in logs + done.stderr.decode()


def copies_of(settings: dict[str, str], folder: Path) -> dict[str, str]:
    """Return the settings that name files, with copies of these in a folder."""
    folder.mkdir()
    files = {name: Path(value) for name, value in settings.items() if name.endswith("_FILE")}
    return {name: str(shutil.copy(path, folder / name)) for name, path in files.items()}
