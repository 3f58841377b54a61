"""A real Prometheus finds what announces itself in a real Kafka."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from flatline.local.ports import Ports
from flatline.local.stack import LocalStack
from flatline.settings import Settings
from tests.calm.servers import Subject, alerts, ask, pid_at
from tests.scripts import FLATLINE
from tests.waiting import until

pytestmark = pytest.mark.servers


@pytest.fixture
def stack(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> Iterator[LocalStack]:
    """Return an installation with one worker, whose Prometheus scrapes and asks each second."""
    given = {"kafka_bootstrap": kafka_bootstrap, "namespace": namespace, "partitions": 2, "clock_speed": 86400}
    with LocalStack(tmp_path / "data", Settings.model_validate(given)) as stack:
        yield stack


@contextmanager
def started_by_hand(stack: LocalStack, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Start another worker on a port that nobody was told of; yield it and its address."""
    port = Ports(folder / "by-hand.json").claim("worker")
    environment = {**os.environ, **stack.settings.environment()}
    with (folder / "by-hand.log").open("ab") as log, subprocess.Popen(
        [FLATLINE, "worker", "--port", str(port)], env=environment, stdout=log, stderr=log
    ) as worker:  # fmt: skip
        try:
            yield worker, f"127.0.0.1:{port}"
        finally:
            worker.kill()


def health(stack: LocalStack) -> dict[tuple[str, str], str]:
    """Return the health of our targets by job and instance. Each is there once, whoever told Prometheus of it."""
    targets = ask(stack.addresses["prometheus"], "/api/v1/targets", state="active")["data"]["activeTargets"]
    ours = [target for target in targets if target["scrapePool"] == "flatline"]
    found = {(each["labels"]["job"], each["labels"]["instance"]): each["health"] for each in ours}
    assert len(found) == len(ours)
    return found


def instances(stack: LocalStack, *arguments: str) -> str:
    """Return what `flatline instances` prints."""
    command = [FLATLINE, "instances", *arguments, "--data-dir", str(stack.settings.data_dir)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def shorten_worker_down(stack: LocalStack) -> None:
    """Let WorkerDown take seconds for minutes."""
    file = stack.settings.data_dir / "prometheus" / "rules" / "workers.yml"
    text = file.read_text()
    assert "[3m]" in text
    assert "for: 2m" in text
    file.write_text(text.replace("[3m]", "[10s]").replace("for: 2m", "for: 2s"))
    os.kill(pid_at(stack.addresses["prometheus"]), signal.SIGHUP)


def test_prometheus_finds_a_worker_and_forgets_one_that_ended(stack: LocalStack, tmp_path: Path) -> None:
    """What was started by hand is scraped; what ended is no target any more; what died is one, and has its alert."""
    of_stack = {("flatline-ingest", stack.addresses["ingest"]), ("flatline-worker", stack.addresses["worker-1"])}
    until("all are scraped", lambda: health(stack) == dict.fromkeys(of_stack, "up"))
    shorten_worker_down(stack)

    with started_by_hand(stack, tmp_path) as (worker, address):
        by_hand = "flatline-worker", address
        until("the third is scraped", lambda: health(stack) == dict.fromkeys({*of_stack, by_hand}, "up"))
        for name in ("ingest", "worker-1"):
            with urlopen(f"http://{stack.addresses[name]}/discovery") as answer:
                assert answer.headers["Content-Type"] == "application/json"
                told = json.load(answer)
            assert {target for group in told for target in group["targets"]} == {each for _, each in health(stack)}
        worker.terminate()
        assert worker.wait() == 0
    until("it is forgotten", lambda: health(stack) == dict.fromkeys(of_stack, "up"))

    with started_by_hand(stack, tmp_path) as (worker, address):
        until("it is scraped again", lambda: health(stack).get(by_hand) == "up")
        worker.kill()
        worker.wait()
    down = Subject("WorkerDown", address)
    until("its alert fires", lambda: down in alerts(stack.addresses["prometheus"], "firing"))
    assert health(stack)[by_hand] == "down"

    listed = [json.loads(line) for line in instances(stack, "list", "--json").splitlines()]
    assert {each["url"] for each in listed} == {f"http://{each}" for _, each in [*of_stack, by_hand]}
    assert address in instances(stack, "list")
    assert instances(stack, "forget", address) == f"{address} is forgotten.\n"
    until("it is no target", lambda: by_hand not in health(stack))
    until("its alert is over", lambda: down not in alerts(stack.addresses["prometheus"]))
