"""`flatline articles list` asks the API where one answers, and Kafka where none does."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import msgspec

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.schema import codec
from flatline.schema.article_record import ArticleRecord
from flatline.schema.topics import Topics
from flatline.schema.verdict import State
from tests.api.answering import of_log, serving
from tests.api.histories import verdict_of
from tests.cli.in_process import flatline
from tests.readmodel.projecting import TOPICS, Log, database

NOWHERE = "127.0.0.1:9"
A_MINIMUM = "https://yours.example/007"
JUDGED = [f"https://yours.example/{number:03}" for number in range(600)]


def _log() -> Log:
    log = Log()
    log.say(*(ArticleRecord(key) for key in [*JUDGED, "https://yours.example/not-judged"]))
    for days_ago, key in enumerate(JUDGED):
        state = State.SILENT if days_ago % 2 else State.STEADY
        verdict = msgspec.structs.replace(verdict_of(key, state=state, days_ago=days_ago), is_floor=key == A_MINIMUM)
        log.write(TOPICS.verdicts, codec.verdicts.encode(verdict), key=key.encode())
    return log


def _listed(done: "CompletedProcess[str]") -> list[str]:
    assert done.returncode == 0, done.stderr
    return [word for word in done.stdout.split() if word.startswith("yours.example/")]


def _names(keys: Sequence[str]) -> list[str]:
    return [key.removeprefix("https://") for key in keys]


async def test_the_table_is_what_the_api_says(tmp_path: Path) -> None:
    """All pages, in the order that was asked for, and no article without a verdict. No Kafka is needed."""
    made = of_log(_log(), database(tmp_path))
    async with serving(made, tmp_path) as client:
        where = {
            "FLATLINE_PAGE_URL": f"http://{client.host}:{client.port}",
            "FLATLINE_KAFKA_BOOTSTRAP": NOWHERE,
            "COLUMNS": "200",
        }

        async def listed(*options: str) -> list[str]:
            return _listed(await asyncio.to_thread(flatline, "articles", "list", *options, **where))

        assert await listed() == _names(JUDGED)
        assert await listed("--sort", "since", "--state", "silent") == _names(JUDGED[1::2])
        table = await asyncio.to_thread(flatline, "articles", "list", **where)
        assert ["yours.example/007" in line for line in table.stdout.splitlines() if "≥" in line] == [True]
    made.close()


def test_without_an_api_kafka_is_read(kafka_bootstrap: str, namespace: str) -> None:
    """An address at which nothing answers is no error."""
    topics = Topics(namespace=namespace, partitions=1)
    ensure_topics(KafkaCluster(kafka_bootstrap), topics.all())
    done = flatline(
        "articles",
        "list",
        FLATLINE_PAGE_URL=f"http://{NOWHERE}",
        FLATLINE_KAFKA_BOOTSTRAP=kafka_bootstrap,
        FLATLINE_NAMESPACE=namespace,
        FLATLINE_PARTITIONS="1",
    )
    assert (done.returncode, "0 articles" in done.stdout) == (0, True), done.stderr
