"""What the demo's screen takes out of a worker's metrics."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flatline.demo.worker_gauges import WorkerGauges
from flatline.schema.verdict import State

EXPOSITION = """\
# HELP flatline_articles Articles by state.
# TYPE flatline_articles gauge
flatline_articles{state="steady"} 102.0
flatline_articles{state="silent"} 3.0
# TYPE flatline_articles_registered gauge
flatline_articles_registered{state="steady"} 7.0
# TYPE flatline_watched_article_unseen gauge
flatline_watched_article_unseen{article="https://a.example/{x}"} 1.0
flatline_watched_article_unseen{article="https://b.example/"} 0.0
# TYPE flatline_source_stale gauge
flatline_source_stale{source="crawler-west"} 1.0
flatline_source_stale{source="crawler-east"} 0.0
# TYPE flatline_source_staleness_seconds gauge
flatline_source_staleness_seconds{source="crawler-west"} 864000.0
flatline_source_staleness_seconds{source="crawler-east"} 60.0
"""


class _Worker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = EXPOSITION.encode()
        self.send_response(200 if self.path == "/metrics" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def worker() -> Iterator[str]:
    """Return the address of what answers as a worker does."""
    with HTTPServer(("127.0.0.1", 0), _Worker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_gauges_are_found_among_all_others(worker: str) -> None:
    """Each by its whole name; only sources that are stale have an age."""
    assert WorkerGauges.of(worker) == WorkerGauges(
        articles={State.STEADY: 102, State.SILENT: 3}, unseen=1, stale_days={"crawler-west": 10.0}
    )


def test_a_worker_that_does_not_answer_has_none() -> None:
    """The screen goes on without."""
    assert WorkerGauges.of("127.0.0.1:1") is None
