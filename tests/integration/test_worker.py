"""One worker on a real Kafka: what it accumulates, dead-letters, sends on and remembers."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka import KafkaProducer

import flatline.schema
from flatline.schema import codec
from flatline.schema.topics import Topics
from tests.integration.reading import read_all
from tests.integration.running import Installation
from tests.waiting import until

REJECTED = Path(flatline.schema.__file__).parent / "examples" / "link_event" / "rejected"


@pytest.fixture
def installation(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> Iterator[Installation]:
    """Return an installation with one worker that is ready."""
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        running.start(1)
        running.wait_ready(1)
        yield running


@pytest.fixture
def topics(namespace: str) -> Topics:
    """Return the installation's topics."""
    return Topics(namespace=namespace, partitions=4)


@pytest.fixture
def producer(kafka_bootstrap: str) -> Iterator[KafkaProducer]:
    """Return a producer of somebody else's: no wrapper, no checks, keys as it likes."""
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap)
    yield producer
    producer.close()


def _event(number: int, url_to: str, **fields: object) -> bytes:
    return json.dumps({"url_from": f"https://site{number}.example/post", "url_to": url_to, **fields}).encode()


def test_what_can_not_be_read_is_dead_lettered(
    installation: Installation, topics: Topics, producer: KafkaProducer, kafka_bootstrap: str
) -> None:
    """Every rejected example, sent straight into the topic, is in the dead letters: bytes, coordinates and reason."""
    sent = {}
    for path in sorted(REJECTED.iterdir()):
        key = path.name.encode()
        record = producer.send(topics.links.name, key=key, value=path.read_bytes()).get(10)
        sent[key] = (
            record.topic,
            str(record.partition),
            str(record.offset),
            path.read_bytes(),
            path.name.split(".")[0],
        )
    tombstone = producer.send(topics.links.name, key=b"tombstone", value=None).get(10)
    sent[b"tombstone"] = (tombstone.topic, str(tombstone.partition), str(tombstone.offset), b"", "empty")
    installation.articles()
    letters = {
        letter.key: (
            *(letter.headers[word] for word in ("topic", "partition", "offset")),
            letter.value,
            letter.headers["reason"],
        )
        for letter in read_all(kafka_bootstrap, topics.dead_letters)
    }
    assert letters == sent
    status, metrics = installation.get(1, "/metrics")
    assert status == 200
    assert f'flatline_dead_letters_total{{reason="empty",topic="{topics.links.name}"}} 3.0' in metrics


def test_foreign_keys_are_sent_on(installation: Installation, topics: Topics, producer: KafkaProducer) -> None:
    """Records keyed by something else reach the one worker state of their article, wherever they landed."""
    target = "https://yours.example/article"
    for number in range(40):
        producer.send(
            topics.links.name,
            key=str(number).encode(),
            value=_event(number, f"http://www.yours.example/article?utm_id={number}"),
        )
    producer.flush()
    until("all are counted once", lambda: installation.articles().get(target, {}).get("gained_total") == 40)
    assert installation.articles().keys() == {target}


def test_state_outlives_the_worker(installation: Installation, topics: Topics, producer: KafkaProducer) -> None:
    """After SIGTERM and SIGKILL the counts are as they were, the same links again change nothing, new ones do."""
    target = "https://yours.example/long-lived"
    for round_, how in enumerate((signal.SIGTERM, signal.SIGKILL), start=1):
        for number in range(200 * round_):
            producer.send(topics.links.name, key=target.encode(), value=_event(number, target))
        producer.flush()
        assert installation.articles()[target]["gained_total"] == 200 * round_
        code = installation.kill(1, how)
        assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
        installation.start(1)
        installation.wait_ready(1)
    producer.send(topics.links.name, key=target.encode(), value=_event(9_999, target))
    producer.flush()
    article = installation.articles()[target]
    assert (article["gained_total"], article["live"], article["referring_domains"]) == (401, 401, 401)


def test_registration_reaches_the_verdict(installation: Installation, topics: Topics, kafka_bootstrap: str) -> None:
    """What was registered stands in the verdict; registering again replaces it."""
    url = "https://yours.example/registered"
    installation.run("articles", "add", f"{url}/?utm_source=x", "--title", "First", "--series", "Notes", "--tier", "1")
    installation.articles()
    installation.run("articles", "add", url, "--title", "Second", "--series", "Notes", "--tier", "1")
    assert installation.articles()[url]["state"] == "new"
    newest = [record.value for record in read_all(kafka_bootstrap, topics.verdicts) if record.key == url.encode()][-1]
    verdict = codec.verdicts.decode(newest)
    assert (verdict.title, verdict.series, verdict.tier) == ("Second", "Notes", 1)


def test_visits_reach_the_verdict(installation: Installation, topics: Topics, producer: KafkaProducer) -> None:
    """Visits that were imported stand beside the links in the verdict, and after a restart still do."""
    url = "https://yours.example/visited"
    for number in range(3):
        event = _event(number, url, occurred_at="2026-01-01T00:00:00Z")
        producer.send(topics.links.name, key=url.encode(), value=event)
    producer.flush()
    table = "url,domain,day,visits\n" + "".join(
        f"{url}/,www.site0.example,2026-0{month}-10,{month}\n" for month in (1, 2, 3)
    )
    for _ in range(2):
        installation.run("visits", "import", "-", stdin=table.encode())
        installation.articles()
        installation.kill(1)
        installation.start(1)
        installation.wait_ready(1)
    impact = installation.articles()[url]["impact"]
    assert isinstance(impact, dict)
    assert (impact["links_with_visits"], impact["links_without_visits"], impact["trophies"]) == (1, 2, 2)
    assert (impact["visits_total"], impact["tracked_until"]) == (6, "2026-03-10")
    _, metrics = installation.get(1, "/metrics")
    lag = re.findall(rf'flatline_consumer_lag_records{{.*topic="{re.escape(topics.visits.name)}"}} (\S+)', metrics)
    assert lag == ["0.0"] * topics.visits.partitions


@pytest.mark.parametrize("session_timeout_s", ["6", "1800"])
def test_any_session_timeout_that_may_be_set_works(
    kafka_bootstrap: str, namespace: str, tmp_path: Path, session_timeout_s: str
) -> None:
    """A worker starts with the shortest and with the longest one, and gets its partitions."""
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        running.start(1, FLATLINE_SESSION_TIMEOUT_S=session_timeout_s)
        running.wait_ready(1)
