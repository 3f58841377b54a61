"""When Kafka is not there, or goes, or comes back: what the commands say and how they end."""

import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.local.kafka import Kafka
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Child
from flatline.schema.topics import Topics
from tests.connectors.conftest import environment_of
from tests.connectors.examples import link
from tests.connectors.pushing import FLATLINE, Answer, running_ingest
from tests.integration.reading import read_all
from tests.waiting import PATIENCE_S

NAMESPACE = "without"
EVENTS = [link(f"https://a.example/{number}", "https://b.example/") for number in range(3)]


def ready(child: Child) -> None:
    """Wait until a process serves."""
    while not child.serves():
        time.sleep(0.1)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class Import:
    """`flatline links import -` in the background."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [FLATLINE, "links", "import", "-"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def end(self, stdin: bytes = b"") -> Ended:
        """Give it its input and wait for its end."""
        stdout, stderr = self.process.communicate(stdin, timeout=PATIENCE_S)
        return Ended(self.process.returncode, stdout.decode(), stderr.decode())


@dataclass
class Story:
    """What happened to an ingest and some imports around the death of a broker."""

    before: Answer
    readiness: list[int]
    during: list[Answer]
    after: Answer
    unreachable: Ended
    topicless: Ended
    deserted: Ended
    stored: set[bytes | None]


@pytest.fixture(scope="module")
def story(kafka_bootstrap: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Live through it once, everything at the same time, as most of it is waiting."""
    folder = tmp_path_factory.mktemp("kafka")
    ports = Ports(folder / "ports.json")
    kafka = Kafka(folder / "kafka", ports)
    broker = Child(kafka.process(), folder)
    nobody = f"{LOOPBACK}:{ports.claim('nobody')}"
    try:
        ready(broker)
        topics = Topics(namespace=NAMESPACE, partitions=3)
        ensure_topics(KafkaCluster(kafka.bootstrap), topics.all())
        environment = environment_of(kafka.bootstrap, NAMESPACE, folder)
        topicless = Import(environment_of(kafka_bootstrap, "no-such", folder))
        unreachable = Import(environment_of(nobody, NAMESPACE, folder))
        deserted = Import(environment)
        with running_ingest(environment, topics, folder) as ingest:
            before = ingest.push(EVENTS[0])
            readiness = [ingest.ask("GET", "/readyz").status]
            assert deserted.process.stdin
            deserted.process.stdin.write(EVENTS[1] + b"\n")
            deserted.process.stdin.flush()
            while len(read_all(kafka.bootstrap, topics.links)) < 2:
                time.sleep(0.1)
            broker.wait_ended(deadline_s=0)  # kills it with SIGKILL
            readiness.append(ingest.ask("GET", "/readyz").status)
            during: list[Answer] = []
            pushes = [threading.Thread(target=lambda: during.append(ingest.push(EVENTS[2]))) for _ in range(2)]
            for push in pushes:
                push.start()
            deserted_end, unreachable_end = deserted.end(EVENTS[2]), unreachable.end(EVENTS[0])
            topicless_end = topicless.end(EVENTS[0])
            for push in pushes:
                push.join()
            broker.start()
            ready(broker)
            after = ingest.push(EVENTS[2])
            readiness.append(ingest.ask("GET", "/readyz").status)
            stored = {record.value for record in read_all(kafka.bootstrap, topics.links)}
        yield Story(before, readiness, during, after, unreachable_end, topicless_end, deserted_end, stored)
    finally:
        broker.terminate()
        broker.wait_ended(time.monotonic() + 20)


def test_an_import_without_a_kafka(story: Story) -> None:
    """It ends within half a minute, with a message that names the server and says what to do."""
    ended = story.unreachable
    assert (ended.code, ended.stdout) == (1, "")
    assert "Kafka does not answer" in ended.stderr
    assert "`flatline up`" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_import_without_topics(story: Story) -> None:
    """It ends with a message that names the topic and the command that creates it."""
    ended = story.topicless
    assert (ended.code, ended.stdout) == (1, "")
    assert "Kafka has no topic no-such.links.v1" in ended.stderr
    assert "`flatline topics create`" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_import_whose_kafka_dies(story: Story) -> None:
    """It ends with a message that says what was not delivered, why, and how far it came."""
    ended = story.deserted
    assert (ended.code, ended.stdout) == (1, "")
    assert f"Kafka did not take a record for {NAMESPACE}." in ended.stderr
    assert "Of 2 lines read before that, 1 are in Kafka." in ended.stderr
    assert len(ended.stderr.splitlines()) == 3


def test_an_ingest_whose_kafka_dies(story: Story) -> None:
    """It answers 503 and asks to come again; the event was not acknowledged, so nobody believes it to be there."""
    assert story.before.status == 200
    assert [(answer.status, answer.code) for answer in story.during] == [(503, "kafka_unavailable")] * 2
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in story.during)
    assert story.readiness == [200, 503, 200]


def test_an_ingest_whose_kafka_comes_back(story: Story) -> None:
    """It goes on as if nothing had happened, and everything that it ever acknowledged is there."""
    assert story.after.status == 200
    sent = [EVENTS[0], EVENTS[2]]
    assert {event[:-1] + b',"source":"a-crawler"}' for event in sent} | {EVENTS[1]} <= story.stored
