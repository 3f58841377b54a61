"""What the demo's screen takes out of a worker's metrics."""

from collections.abc import Iterator

import pytest

from flatline.demo.worker_gauges import WorkerGauges
from flatline.schema.verdict import State
from tests.http_server import Handler, running_server

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


class _Worker(Handler):
    def get(self) -> None:
        self.answer(200 if self.path == "/metrics" else 404, "text/plain", EXPOSITION.encode())


@pytest.fixture
def worker() -> Iterator[str]:
    """Return the address of what answers as a worker does."""
    with running_server(_Worker) as at:
        yield at


def test_gauges_are_found_among_all_others(worker: str) -> None:
    """Each by its whole name; only sources that are stale have an age."""
    assert WorkerGauges.of(worker) == WorkerGauges(
        articles={State.STEADY: 102, State.SILENT: 3}, unseen=1, stale_days={"crawler-west": 10.0}
    )


def test_a_worker_that_does_not_answer_has_none() -> None:
    """The screen goes on without."""
    assert WorkerGauges.of("127.0.0.1:1") is None
