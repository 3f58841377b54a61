"""POST /v1/heartbeats, and the heartbeats that links stand for."""

import gzip
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flatline.schema import codec
from flatline.schema.heartbeat import Heartbeat
from flatline.schema.topics import Topics
from tests.connectors.examples import link
from tests.connectors.pushing import JSON, NDJSON, SOURCE, Answer, RunningIngest, running_ingest
from tests.integration.reading import read_all

EVENT = link("https://a.example/", "https://b.example/")
SEEN = "2026-01-02T03:04:05Z"

Read = Callable[[], list[Heartbeat]]


@pytest.fixture
def heartbeats(topics: Topics, kafka_bootstrap: str) -> Read:
    """Return what reads the heartbeats topic."""
    return lambda: [codec.heartbeats.decode(record.value) for record in read_all(kafka_bootstrap, topics.heartbeats)]


def say(ingest: RunningIngest, content_type: str = JSON, **fields: object) -> Answer:
    """Push one heartbeat."""
    body = json.dumps({"seen_until": SEEN, **fields}).encode()
    return ingest.push(body, content_type, path="/v1/heartbeats")


def test_heartbeats(topics: Topics, environment: dict[str, str], tmp_path: Path, heartbeats: Read) -> None:
    """A source says what it has seen; its links say so too, though not each of them, with the period it declared."""
    with running_ingest(environment, topics, tmp_path, source=f"{SOURCE},other") as ingest:
        assert ingest.push(b"[{}]").status == 422
        assert ingest.push(EVENT).status == 200
        assert heartbeats() == [], "nobody knows when it will be heard again"

        started = datetime.now(UTC)
        stated = say(ingest, period_s=1, pages_seen=7, errors=1)
        assert (stated.status, stated.body) == (200, {"accepted": 1, "rejected": []})
        (said,) = heartbeats()
        assert (said.source, said.seen_until) == (SOURCE, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        assert (said.period_s, said.pages_seen, said.errors) == (1, 7, 1)

        assert ingest.push(EVENT).status == 200
        assert ingest.push(link("https://a.example/", "https://b.example/", source="other")).status == 200
        automatic = heartbeats()[1]
        assert (automatic.source, automatic.period_s) == (SOURCE, 1)
        assert started <= automatic.seen_until <= datetime.now(UTC)
        assert len(heartbeats()) == 2, "the other source has declared nothing"

        say(ingest)
        assert heartbeats()[-1].period_s == 1
        say(ingest, source="other")
        assert (heartbeats()[-1].source, heartbeats()[-1].period_s) == ("other", 86_400)
        say(ingest, period_s=None)
        assert heartbeats()[-1].period_s is None
        count = len(heartbeats())
        time.sleep(0.6)
        assert ingest.push(EVENT).status == 200
        assert len(heartbeats()) == count, "it said that it has finished"


def test_what_is_rejected(topics: Topics, environment: dict[str, str], tmp_path: Path, heartbeats: Read) -> None:
    """Each with its reason, and nothing of it can spoil what follows."""
    with running_ingest(environment, topics, tmp_path) as ingest:
        say(ingest, period_s=60)
        for fields, reason in (
            ({"period_s": 1e12}, "invalid_value"),
            ({"period_s": 0}, "invalid_value"),
            ({"seen_until": "yesterday"}, "invalid_time"),
            ({"source": "somebody-else"}, "foreign_source"),
        ):
            answer = say(ingest, **fields)
            assert (answer.status, answer.body["rejected"][0]["reason"]) == (422, reason)
        assert ingest.push(b'"text"', path="/v1/heartbeats").body["rejected"][0]["reason"] == "wrong_type"
        assert ingest.push(EVENT).status == 200
        assert [each.period_s for each in heartbeats()] == [60, 60]


def test_like_links(topics: Topics, environment: dict[str, str], tmp_path: Path, heartbeats: Read) -> None:
    """Content type, encoding, batches and rate are those of links."""
    limits = {"FLATLINE_INGEST_MAX_EVENTS_PER_S": "0.01"}
    with running_ingest({**environment, **limits}, topics, tmp_path) as ingest:
        body = b'{"seen_until":"%b"}' % SEEN.encode()
        assert ingest.push(body, "text/plain", path="/v1/heartbeats").code == "unsupported_type"
        assert ingest.push(body, path="/v1/heartbeats", **{"Content-Encoding": "br"}).code == "unsupported_encoding"
        packed = gzip.compress(body + b"\n{}\n" + body)
        answer = ingest.push(packed, NDJSON, path="/v1/heartbeats", **{"Content-Encoding": "gzip"})
        assert (answer.status, answer.body["accepted"]) == (200, 2)
        assert [(event["index"], event["reason"]) for event in answer.body["rejected"]] == [(1, "missing_field")]
        assert len(heartbeats()) == 2
        fast = say(ingest)
        assert (fast.status, fast.code) == (429, "too_many_events_per_s")


def test_a_declared_period_is_known_everywhere(
    topics: Topics, environment: dict[str, str], tmp_path: Path, heartbeats: Read
) -> None:
    """By another ingest at once, and by one that is started later: the topic has it."""
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    with (
        running_ingest(environment, topics, tmp_path / "a") as first,
        running_ingest(environment, topics, tmp_path / "b") as second,
    ):
        for period_s in (7_200.0, 604_800.0, 0.001, 86_400.0):
            assert say(first, period_s=period_s).status == 200
            assert say(second).status == 200
            assert heartbeats()[-1].period_s == period_s
        assert second.push(EVENT).status == 200
        assert heartbeats()[-1].period_s == 86_400
    with running_ingest(environment, topics, tmp_path / "c") as restarted:
        assert restarted.push(EVENT).status == 200
        assert heartbeats()[-1].period_s == 86_400
        assert heartbeats()[-1].seen_until > datetime(2026, 1, 3, tzinfo=UTC)
