"""`flatline ingest --webmention-sites`: from a sender's form to a link in Kafka, also when the ingest is killed."""

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest

from flatline.schema.topics import Topics
from tests.connectors.fetching.hostile import PUBLIC
from tests.connectors.pushing import RunningIngest, running_ingest
from tests.http_server import Handler, running_server
from tests.integration.reading import read_all
from tests.waiting import PATIENCE_S

TARGET = "https://pub.example/guides/slow-tomatoes"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class _Source(Handler):
    """A page that links to the target; there is no robots.txt."""

    def get(self) -> None:
        status = 404 if self.path == "/robots.txt" else 200
        self.answer(status, "text/html", f'<a href="{TARGET}">a guide</a>'.encode())


@pytest.fixture
def source() -> Iterator[str]:
    """Run a server that the ingest is allowed to fetch from, and return the address of its page."""
    with running_server(_Source, PUBLIC) as at:
        yield f"http://{at}/post"


def test_from_a_form_to_kafka(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path, source: str
) -> None:
    """An ingest that is killed after its answer leaves the mention to the next one, which sends the link once."""
    environment = {**environment, "FLATLINE_FETCH_NETWORKS": f"{PUBLIC}/32"}
    sites = ("--webmention-sites", "pub.example")
    with running_ingest(environment, topics, tmp_path, *sites) as ingest:
        answer = ingest.ask("POST", "/webmention", urlencode({"source": source, "target": TARGET}).encode(), FORM)
        ingest.process.kill()
    assert (answer.status, answer.body["status"]) == (201, "pending")
    (tmp_path / "ingest.log").unlink()
    with running_ingest(environment, topics, tmp_path, *sites) as ingest:
        _wait_verified(ingest, answer.headers["Location"])
        other = urlencode({"source": source, "target": "https://other.example/"}).encode()
        assert ingest.ask("POST", "/webmention", other, FORM).code == "unknown_target"
        assert 'flatline_ingest_webmentions_total{outcome="verified"} 1.0' in ingest.ask("GET", "/metrics").body
    stored = [msgspec.json.decode(record.value or b"") for record in read_all(kafka_bootstrap, topics.links)]
    assert [(each["url_from"], each["url_to"], each["source"]) for each in stored] == [(source, TARGET, "webmention")]
    assert {record.key for record in read_all(kafka_bootstrap, topics.heartbeats)} == {b"webmention"}


def _wait_verified(ingest: RunningIngest, location: str) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while (answer := ingest.ask("GET", location)).body["status"] != "verified":
        assert time.monotonic() < give_up_at, answer
        time.sleep(0.1)


def test_it_is_off_by_default(ingest: RunningIngest) -> None:
    """Without sites of one's own there is no endpoint."""
    assert ingest.ask("POST", "/webmention", b"source=a&target=b", FORM).code == "not_found"


def test_a_notice_of_webmention_io_reaches_kafka(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], tmp_path: Path
) -> None:
    """With a file that holds the secret, /webmention-io takes notices that know it."""
    (tmp_path / "secret").write_text("the right secret\n")
    notice = {"secret": "the right secret", "source": "https://a.example/p", "target": TARGET, "deleted": True}
    headers = {"Content-Type": "application/json"}
    how = ("--webmention-sites", "pub.example", "--webmention-io-secret-file", str(tmp_path / "secret"))
    with running_ingest(environment, topics, tmp_path, *how) as ingest:
        assert ingest.ask("POST", "/webmention-io", msgspec.json.encode(notice), headers).body == {"status": "deleted"}
        wrong = msgspec.json.encode(notice | {"secret": "another secret"})
        assert ingest.ask("POST", "/webmention-io", wrong, headers).code == "wrong_secret"
        metrics = ingest.ask("GET", "/metrics").body
    assert 'flatline_ingest_webmention_io_notices_total{outcome="refused"} 1.0' in metrics
    assert "right secret" not in (tmp_path / "ingest.log").read_text()
    (stored,) = (msgspec.json.decode(record.value or b"") for record in read_all(kafka_bootstrap, topics.links))
    assert (stored["change"], stored["url_from"], stored["source"]) == ("lost", "https://a.example/p", "webmention.io")
