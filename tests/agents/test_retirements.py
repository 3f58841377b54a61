"""An article that somebody marked as retired is not judged, until that is taken back."""

import json

import pytest

from flatline.domain.alerts import alert_id
from flatline.domain.time import DAY_MS, to_datetime
from flatline.engine.log import Outgoing
from flatline.schema import codec
from flatline.schema.alert_mark import AlertKind, AlertMark, ExpectedBecause, Mark
from flatline.schema.topics import Topics
from flatline.schema.verdict import State, Verdict
from tests.agents.lone_worker import LoneWorker

TOPICS = Topics(partitions=1)
NOW_MS = 1_780_000_000_000
ARTICLE = "https://yours.example/a"


def _link(days_ago: int) -> Outgoing:
    event = {
        "url_from": f"https://site{days_ago}.example/",
        "url_to": ARTICLE,
        "occurred_at": to_datetime(NOW_MS - days_ago * DAY_MS).isoformat(),
    }
    at_ms = NOW_MS - days_ago * DAY_MS
    return Outgoing(TOPICS.links.name, 0, ARTICLE.encode(), json.dumps(event).encode(), timestamp_ms=at_ms)


def _mark(said: Mark, because: ExpectedBecause | None = None, *, at_ms: int) -> Outgoing:
    since_ms = NOW_MS - 40 * DAY_MS
    mark = AlertMark(ARTICLE, AlertKind.COOLING, to_datetime(since_ms), said, to_datetime(at_ms), because=because)
    key = alert_id(ARTICLE, AlertKind.COOLING, since_ms).encode()
    return Outgoing(TOPICS.alert_marks.name, 0, key, codec.alert_marks.encode(mark))


def _verdict(worker: LoneWorker) -> Verdict:
    worker.judge_all()
    said = [record.value for record in worker.written[TOPICS.verdicts.name]]
    assert said[-1] is not None
    return codec.verdicts.decode(said[-1])


@pytest.mark.parametrize("restarts", [False, True])
def test_a_retired_article_is_not_judged(restarts: bool) -> None:
    """It is dormant since it was marked, and says so; a worker that starts then knows it, too."""
    with LoneWorker(TOPICS, now_ms=NOW_MS) as worker:
        worker.take(TOPICS.links, [_link(days) for days in range(400, 0, -7)])
        assert _verdict(worker).state is State.STEADY

        worker.take(TOPICS.alert_marks, [_mark(Mark.EXPECTED, ExpectedBecause.RETIRED, at_ms=NOW_MS - DAY_MS)])
        if restarts:
            worker.start()
        retired = _verdict(worker)
        assert (retired.state, retired.since) == (State.DORMANT, to_datetime(NOW_MS - DAY_MS))
        assert (retired.probability, retired.score, retired.findings) == (None, None, [])
        assert "marked as retired on 2026-05-27" in retired.reason

        worker.take(TOPICS.links, [_link(0)])
        assert _verdict(worker).state is State.DORMANT

        worker.take(TOPICS.alert_marks, [_mark(Mark.WRONG, at_ms=NOW_MS)])
        judged = _verdict(worker)
        assert judged.probability is not None
        assert "retired" not in judged.reason
