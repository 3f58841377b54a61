"""Somebody is erased from a real Kafka and from the read model, whatever is killed; all others stay as they are."""

import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaConsumer, TopicPartition

from flatline.local.ports import Ports
from tests.integration.running import Installation
from tests.scripts import FLATLINE
from tests.waiting import PATIENCE_S, until

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

KILLED_ERASE = Path(__file__).with_name("killed_erase.py")
ARTICLES = [f"https://ours.example/{name}" for name in ("first", "second", "third")]
DOMAIN, AUTHOR = "jane-doe.example", "Jane Doe"
LINKS = 60


def test_somebody_is_erased(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Neither name nor domain is in any topic or in the database afterwards, and what is known of articles stays.

    Three runs are killed: when the log was copied, when the copy is in use, and when a topic is gone that is to be
    restored. Between the last two nothing else starts.
    """
    with Installation(kafka_bootstrap, namespace, tmp_path, FLATLINE_PARTITIONS="2") as installation:
        _fill(installation)
        before = _judged(installation)
        _read_by_serve(installation, tmp_path)
        assert _found(kafka_bootstrap, namespace, DOMAIN) > LINKS // 3
        letters = len(_records(kafka_bootstrap, f"{namespace}.links.v1-dlq"))

        assert "--yes erases" in installation.run("erase", "--domain", DOMAIN)
        for moment in ("copying", "cut over", "deleted"):
            _kill(installation, moment, "erase", "--domain", DOMAIN, "--yes")
            if moment != "copying":
                assert "interrupted" in _run(installation, "articles", "list").stderr
        said = installation.run("erase", "--domain", DOMAIN, "--yes")
        assert "Erased:" in said, said
        assert _found(kafka_bootstrap, namespace, DOMAIN) == 0
        assert not list((tmp_path / "readmodel").glob("*.db*"))
        assert len(_records(kafka_bootstrap, f"{namespace}.links.v1-dlq")) == letters - 1  # the other one is there
        after = _judged(installation)
        assert after == before

        assert _found(kafka_bootstrap, namespace, AUTHOR) > 0
        installation.run("erase", "--author", AUTHOR.upper(), "--yes")
        assert _found(kafka_bootstrap, namespace, AUTHOR) == 0
        unnamed = {key: row | {"author": None} for key, row in before.items()}
        assert {key: row | {"author": None} for key, row in _judged(installation).items()} == unnamed

        # To the topics of before, producers may still write.
        installation.run("links", "import", "-", stdin=_link(0, "late.example", ARTICLES[0], "late"))
        last = _judged(installation)
        assert last[ARTICLES[0]]["gained_total"] == before[ARTICLES[0]]["gained_total"] + 1  # type: ignore[operator]

        # What was copied into topics that are discarded is copied again.
        _kill(installation, "copying", "topics", "repartition", "3")
        installation.run("erase", "--domain", "nobody.example", "--yes")
        installation.run("topics", "repartition", "3")
        gained = {key: row["gained_total"] for key, row in _judged(installation).items()}
        assert gained == {key: row["gained_total"] for key, row in last.items()}


def _fill(installation: Installation) -> None:
    installation.start(1)
    installation.wait_ready(1)
    domains = [DOMAIN, f"blog.{DOMAIN.upper()}", "other.example", "another.example"]
    links = [_link(n, domains[n % 4], ARTICLES[n % 3], f"page-{n}") for n in range(LINKS)]
    links += [b'{"url_from": "https://%b/x", "url_to": 3}\n' % DOMAIN.encode(), b'{"url_from": 4, "url_to": "5"}\n']
    installation.run("links", "import", "-", stdin=b"".join(links))
    installation.run("articles", "add", ARTICLES[0], "--title", "The first", "--author", AUTHOR)
    visits = {"url": ARTICLES[1], "day": "2026-01-02", "visits": 7, "domain": DOMAIN}
    installation.run("visits", "import", "-", stdin=orjson.dumps(visits))
    until("all are judged", lambda: installation.articles().keys() == set(ARTICLES))
    installation.kill(1, signal.SIGTERM)


def _link(number: int, domain: str, article: str, page: str) -> bytes:
    link = {
        "url_from": f"https://{domain}/{page}",
        "url_to": article,
        "occurred_at": datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=number * 5),
        "page": {"author": AUTHOR if number % 2 else "Somebody Else"},
        "source": "test",
    }
    return orjson.dumps(link) + b"\n"


def _judged(installation: Installation) -> dict[str, Mapping[str, object]]:
    """Return what is said of each article, by a worker that runs meanwhile."""
    installation.start(1)
    installation.wait_ready(1)
    rows = installation.articles()
    assert installation.kill(1, signal.SIGTERM) == 0
    return {key: {name: row[name] for name in row if name != "judged_at"} for key, row in rows.items()}


def _read_by_serve(installation: Installation, folder: Path) -> None:
    """Have `flatline serve` read everything into its database."""
    port = str(Ports(folder / "serve-ports.json").claim("serve"))
    with subprocess.Popen(
        [FLATLINE, "serve", "--port", port], env=installation.environment, stderr=subprocess.DEVNULL
    ) as serve:
        try:
            files = folder / "readmodel"
            until("it is read", lambda: any(DOMAIN.encode() in each.read_bytes() for each in files.glob("*.db*")))
            assert "is in use" in _run(installation, "erase", "--domain", DOMAIN, "--yes").stderr
            elsewhere = str(folder / "elsewhere")
            done = _run(installation, "erase", "--domain", DOMAIN, "--yes", "--data-dir", elsewhere)
            assert f"Something runs: serve at 127.0.0.1:{port}" in done.stderr
        finally:
            serve.terminate()


def _kill(installation: Installation, moment: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, KILLED_ERASE, *arguments],
        env=installation.environment | {"KILL_AT": moment},
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def _run(installation: Installation, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [FLATLINE, *arguments],
        env=installation.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def _found(bootstrap: str, namespace: str, word: str) -> int:
    """Return how many records of all topics contain a word, in any case."""
    with_word = [each for each in _records(bootstrap, f"{namespace}.") if word.lower().encode() in each.lower()]
    return len(with_word)


def _records(bootstrap: str, prefix: str) -> list[bytes]:
    """Return the bytes of all records of the topics whose names begin so, committed or not."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        names = [name for name in consumer.topics() if name.startswith(prefix)]
        return [_bytes(record) for name in names for record in _read(consumer, name)]
    finally:
        consumer.close()


def _read(consumer: Any, name: str) -> Iterable[Any]:
    partitions = [TopicPartition(name, number) for number in consumer.partitions_for_topic(name)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    consumer.seek_to_beginning(*partitions)
    while any(consumer.position(each) < ends[each] for each in partitions):
        for records in consumer.poll(timeout_ms=200).values():
            yield from records


def _bytes(record: Any) -> bytes:
    headers = b"".join(name.encode() + word for name, word in record.headers)
    return b"\0".join([record.key or b"", record.value or b"", headers])
