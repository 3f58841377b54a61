"""The door: `import flatline`."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from unittest.mock import patch

import hypothesis.strategies as st
import pytest
from hypothesis import given

import flatline
from flatline.admin.topics import ensure_topics
from flatline.engine.log import Outgoing
from flatline.kafka.cluster import KafkaCluster
from flatline.schema import codec
from flatline.schema.topics import Topics
from flatline.worker.lag import Lag
from flatline_connectors.sending.links import prepare
from tests.agents.lone_worker import LoneWorker
from tests.integration.reading import read_all

ARTICLE = "https://yours.example/guide"
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
WEEK = timedelta(weeks=1)


def event(page: int, *, week: float, change: str = "gained") -> flatline.LinkEvent:
    """Return a link event of a page."""
    return flatline.decode_event(
        b'{"url_from": "https://blog%d.example/", "url_to": "%s", "change": "%s", "observed_at": "%s"}'
        % (page, ARTICLE.encode(), change.encode(), (FIRST + week * WEEK).isoformat().encode())
    )


def _record(link: flatline.LinkEvent, topics: Topics) -> Outgoing:
    prepared = prepare(flatline.encode_event(link))
    return Outgoing(topics.links.name, 0, prepared.key, prepared.value)


WEEKLY = [event(week, week=week) for week in range(30)]
events = st.lists(
    st.builds(
        event,
        page=st.integers(0, 40),
        week=st.integers(0, 100),
        change=st.sampled_from(["gained", "lost"]),
    ),
    min_size=1,
    max_size=60,
)


def test_all_names_are_there() -> None:
    """What is offered can be imported, and is what `dir` shows."""
    for name in flatline.__all__:
        assert getattr(flatline, name).__name__ == name
    assert dir(flatline) == sorted(flatline.__all__)
    with pytest.raises(AttributeError, match="flatline has no weather"):
        _ = flatline.weather


def test_the_import_brings_along_nothing_heavy() -> None:
    """A notebook that folds and judges waits for no NumPy, no Kafka client and no settings."""
    script = "import sys, flatline; flatline.fold, flatline.judge; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout.split()
    assert {"numpy", "kafka", "aiokafka", "faust", "aiohttp", "pydantic", "typer", "rich"}.isdisjoint(loaded)


@given(events, st.randoms(use_true_random=False), st.data())
def test_order_repeats_and_batches_change_nothing(
    seen: list[flatline.LinkEvent], random: Random, data: st.DataObject
) -> None:
    """The verdict is one of the set of events, also of an article that was put away and taken out in between."""
    now = FIRST + 110 * WEEK
    at_once = flatline.judge(flatline.fold(seen)[ARTICLE], now=now)
    mixed = seen + data.draw(st.lists(st.sampled_from(seen), max_size=10))
    random.shuffle(mixed)
    cut = data.draw(st.integers(1, len(mixed)))
    first = flatline.fold(mixed[:cut])
    restored = {url: flatline.load_article(flatline.dump_article(article)) for url, article in first.items()}
    article = flatline.fold(mixed[cut:], restored)[ARTICLE]
    assert flatline.judge(article, now=now) == at_once


@given(events)
def test_it_judges_as_a_worker_does(seen: list[flatline.LinkEvent]) -> None:
    """The worker that gets the same events publishes the same state, counts and reason."""
    now = FIRST + 110 * WEEK
    topics = Topics(partitions=1)
    caught_up = patch.object(Lag, "is_lagging", return_value=False)
    with caught_up, LoneWorker(topics, now_ms=int(now.timestamp() * 1000)) as worker:
        worker.take(topics.links, [_record(each, topics) for each in seen])
        worker.commit()
        published = codec.verdicts.decode(worker.written[topics.verdicts.name][-1].value)
    own = flatline.judge(flatline.fold(seen, watched_since=now)[ARTICLE], now=now)
    assert (own.state, own.reason, own.gained_total, own.lost_total, own.live, own.score) == (
        published.state,
        published.reason,
        published.gained_total,
        published.lost_total,
        published.live,
        published.score,
    )


def test_what_was_said_is_remembered() -> None:
    """A silence is said to hold since it was first said, and a second link after it revives the article."""
    articles = flatline.fold(WEEKLY)
    assert flatline.judge(articles[ARTICLE], now=datetime(2025, 12, 1, tzinfo=UTC)).state == "silent"
    flatline.fold([event(99, week=48)], articles)
    assert flatline.judge(articles[ARTICLE], now=datetime(2025, 12, 5, tzinfo=UTC)).state == "steady"
    flatline.fold([event(98, week=49)], articles)
    assert flatline.judge(articles[ARTICLE], now=datetime(2025, 12, 12, tzinfo=UTC)).state == "revived"


def test_an_explanation_agrees_with_the_verdict() -> None:
    """Both say the same of the same day."""
    said = flatline.judge(flatline.fold(WEEKLY)[ARTICLE], now=datetime(2025, 12, 1, 23, 59, tzinfo=UTC))
    found = flatline.explain(WEEKLY, ARTICLE, on=datetime(2025, 12, 1, tzinfo=UTC).date())
    assert found is not None
    assert (found.verdict.state, found.verdict.score) == (said.state, said.score)
    assert flatline.explain(WEEKLY, "https://yours.example/other") is None


def test_a_backtest_finds_the_silence() -> None:
    """One article that gained weekly and stopped: one right alert."""
    elsewhere = flatline.LinkEvent("https://a.example/", "https://yours.example/b", observed_at=FIRST + 140 * WEEK)
    report = flatline.run_backtest([*WEEKLY, elsewhere])  # so that the history goes on for a year
    silences = [each for each in report.alerts if each.kind == "silent"]
    assert [(each.article, each.ending) for each in silences] == [(ARTICLE, "right")]


def test_files(tmp_path: Path) -> None:
    """Events come back as they were written; a bad line is named."""
    path = tmp_path / "links.ndjson"
    assert flatline.write_events(path, WEEKLY) == len(WEEKLY)
    assert list(flatline.read_events(path)) == WEEKLY
    with path.open("ab") as file:
        file.write(b'{"url_from": 7}\n')
    with pytest.raises(flatline.Rejected, match=r"links\.ndjson:31: "):
        list(flatline.read_events(path))


def test_times_that_cannot_be_meant() -> None:
    """A time without a zone and an event without a time are refused, and the message says what to do."""
    with pytest.raises(ValueError, match="now has no time zone"):
        flatline.judge(flatline.fold(WEEKLY)[ARTICLE], now=datetime(2025, 12, 1))  # noqa: DTZ001
    undated = flatline.LinkEvent("https://a.example/", ARTICLE)
    with pytest.raises(flatline.Rejected, match="recorded_at is not given"):
        flatline.fold([undated])
    assert flatline.fold([undated], recorded_at=FIRST)[ARTICLE].totals.gained == 1


def test_the_producer_sends(kafka_bootstrap: str, namespace: str) -> None:
    """What is sent is durable after the block, with the source of the producer, on its article's partition."""
    topics = Topics(namespace=namespace)
    ensure_topics(KafkaCluster(kafka_bootstrap), topics.all())
    with flatline.Producer(kafka_bootstrap, namespace=namespace, source="notebook") as producer:
        for each in WEEKLY:
            producer.send(each)
    stored = read_all(kafka_bootstrap, topics.links)
    assert {each.key for each in stored} == {prepare(flatline.encode_event(WEEKLY[0])).key}
    sent = [codec.links.decode(each.value) for each in stored]
    assert [(each.url_from, each.source) for each in sent] == [(each.url_from, "notebook") for each in WEEKLY]
