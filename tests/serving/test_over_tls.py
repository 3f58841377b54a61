"""A real ingest that speaks TLS: crawlers push to it, and a real Prometheus finds and scrapes it."""

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPSConnection
from pathlib import Path

import pytest
import yaml

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.local import probes, programs
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Process
from flatline.local.supervisor import Supervisor
from flatline.schema.topics import Topics
from tests.calm.servers import ask
from tests.connectors.pushing import FLATLINE
from tests.kafka.certificates import Authority
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.servers

EVENT = {"url_from": "https://elsewhere.example/post", "url_to": "https://yours.example/article"}


class Secured:
    """A running ingest, whose certificate can be replaced."""

    def __init__(self, folder: Path, bootstrap: str, namespace: str) -> None:
        self.ports = Ports(folder / "ports.json")
        self.port = self.ports.claim("ingest")
        self.authority = Authority(folder / "ca")
        identity = self.authority.issue("first")
        self.files = identity.certificate, identity.key
        self.log = folder / "ingest.log"
        self._environment = os.environ | {
            "FLATLINE_KAFKA_BOOTSTRAP": bootstrap,
            "FLATLINE_NAMESPACE": namespace,
            "FLATLINE_INGEST_NO_AUTH": "true",
            "FLATLINE_INGEST_PORT": str(self.port),
            "FLATLINE_INGEST_MAX_CONNECTIONS": "2",
            "FLATLINE_TLS_CERTIFICATE_FILE": str(identity.certificate),
            "FLATLINE_TLS_KEY_FILE": str(identity.key),
        }

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the ingest for the block."""
        with (
            self.log.open("wb") as log,
            subprocess.Popen([FLATLINE, "ingest"], env=self._environment, stdout=log, stderr=log) as process,
        ):
            try:
                line = f"listens on https://{LOOPBACK}:{self.port}"
                until("it listens", lambda: process.poll() is not None or line in self.log.read_text())
                assert process.poll() is None, self.log.read_text()
                yield
            finally:
                process.kill()

    def context(self) -> ssl.SSLContext:
        """Return what trusts the test's authority."""
        return ssl.create_default_context(cafile=self.authority.file)

    def connect(self) -> HTTPSConnection:
        """Return a connection that trusts the test's authority."""
        return HTTPSConnection(LOOPBACK, self.port, timeout=PATIENCE_S, context=self.context())

    def replace_certificate(self) -> None:
        """Put another certificate and its key into the files, one after the other."""
        second = self.authority.issue("second")
        for place, content in zip(self.files, (second.certificate, second.key), strict=True):
            place.write_bytes(content.read_bytes())


@pytest.fixture
def secured(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> Iterator[Secured]:
    """Return a running ingest with TLS."""
    ensure_topics(KafkaCluster(kafka_bootstrap), Topics(namespace=namespace).all())
    ingest = Secured(tmp_path, kafka_bootstrap, namespace)
    with ingest.running():
        yield ingest


def push(connection: HTTPSConnection) -> int:
    """Push one link, and return the status."""
    connection.request("POST", "/v1/links", json.dumps(EVENT), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_pushes_go_on_over_a_new_certificate(secured: Secured) -> None:
    """A sender keeps its connection, and the next one sees the new certificate."""
    with closing(secured.connect()) as early:
        assert push(early) == 200
        secured.replace_certificate()
        with closing(secured.connect()) as late:
            assert push(late) == 200
            assert "second" in str(late.sock.getpeercert()["subject"])
        assert push(early) == 200


def test_limits_hold_over_tls(secured: Secured) -> None:
    """One connection too many is told why, over TLS, and so is whom it displaces; nothing breaks for others."""
    with closing(socket.create_connection((LOOPBACK, secured.port), timeout=PATIENCE_S)) as silent:
        oldest = secured.context().wrap_socket(silent, server_hostname=LOOPBACK)
        with closing(secured.connect()) as second, closing(secured.connect()) as third:
            assert [push(second), push(third)] == [200, 200]
            answer = b""
            while not answer.endswith(b"}\n"):
                part = oldest.recv(65536)
                assert part, answer
                answer += part
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"too_many_connections" in answer
        oldest.close()
    assert "Traceback" not in secured.log.read_text()


def test_prometheus_finds_and_scrapes_over_tls(secured: Secured, tmp_path: Path) -> None:
    """It asks for the targets over TLS, is told that they speak TLS, and goes on after the certificate was replaced."""
    address = f"{LOOPBACK}:{secured.ports.claim('prometheus')}"
    tls = {"tls_config": {"ca_file": str(secured.authority.file)}}
    discovery = {"url": f"https://{LOOPBACK}:{secured.port}/discovery", "refresh_interval": "1s", **tls}
    job = {"job_name": "flatline", "http_sd_configs": [discovery], **tls}
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}))
    prometheus = Process(
        name="prometheus",
        command=[
            programs.PROMETHEUS.required(),
            f"--config.file={file}",
            f"--storage.tsdb.path={tmp_path / 'tsdb'}",
            f"--web.listen-address={address}",
        ],
        address=address,
        is_ready=lambda: probes.answers_ok(address, "/-/ready"),
    )

    def scraped_at() -> str | None:
        targets = ask(address, "/api/v1/targets", state="active")["data"]["activeTargets"]
        for target in targets:
            assert target["scrapeUrl"] == f"https://{LOOPBACK}:{secured.port}/metrics"
            assert target["labels"] == {"instance": f"{LOOPBACK}:{secured.port}", "job": "flatline-ingest"}
        up = [str(target["lastScrape"]) for target in targets if target["health"] == "up"]
        return up[0] if up else None

    with Supervisor(tmp_path / "logs", say=print) as supervisor:
        supervisor.start(prometheus)
        until("it is scraped", lambda: scraped_at() is not None)
        secured.replace_certificate()
        before = scraped_at()
        until("it is scraped again", lambda: scraped_at() not in (None, before))
