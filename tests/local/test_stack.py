import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from flatline.admin.topics import check_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.local.errors import LaunchError
from flatline.local.ports import Ports
from flatline.local.processes import Process
from flatline.local.services import SettingsOf
from flatline.local.stack import LocalStack
from flatline.schema.topics import Topics
from flatline.settings import ENV_FILE, Settings, load_settings
from tests.local import stand_ins as launcher
from tests.local.observing import children_of, is_alive
from tests.local.stand_ins import stand_ins
from tests.waiting import until

pytestmark = pytest.mark.servers


def ask(address: str, path: str) -> Any:
    """Return what an HTTP API says."""
    with urlopen(f"http://{address}{path}") as answer:
        return json.load(answer)


def stack_of(folder: Path, **given: Any) -> LocalStack:
    """Return an installation with two workers, at a pace at which Prometheus scrapes each second."""
    settings = Settings.model_validate({"partitions": 2, "clock_speed": 86400, **given})
    return LocalStack(folder / "data", settings, workers=2, services=stand_ins(folder / "www"))


def test_everything_is_up_together_and_comes_back(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> None:
    """All parts know each other, other commands find them, and a second run goes on where the first ended."""
    cluster = {"kafka_bootstrap": kafka_bootstrap, "namespace": namespace}
    with stack_of(tmp_path, **cluster) as stack:
        first = stack.addresses
        assert list(first) == ["kafka", "ingest", "worker-1", "worker-2", "alertmanager", "prometheus"]
        assert check_topics(KafkaCluster(first["kafka"]), Topics(namespace=namespace, partitions=2).all()) == []

        expected = ["ingest", "worker-1", "worker-2", "alertmanager", "prometheus"]
        until("all are scraped", lambda: scraped(first["prometheus"]) == sorted(map(first.__getitem__, expected)))
        assert len(ask(first["prometheus"], "/api/v1/rules")["data"]["groups"]) >= 3
        [alertmanager] = ask(first["prometheus"], "/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        assert first["alertmanager"] in alertmanager["url"]

        found = load_settings(tmp_path / "data")
        assert found.environment() == stack.settings.environment()
        assert found.kafka_bootstrap == first["kafka"]
        tokens = found.ingest_tokens_file
        assert tokens
        assert stat.S_IMODE(tokens.stat().st_mode) == 0o600
        token = tokens.read_text()

        with pytest.raises(LaunchError, match=f"is in use by process {os.getpid()}"), stack_of(tmp_path, **cluster):
            pass
        # The one that was turned away has not touched the one that runs.
        assert load_settings(tmp_path / "data").kafka_bootstrap == first["kafka"]

    assert not (tmp_path / "data" / ENV_FILE).exists()
    with stack_of(tmp_path, **cluster) as stack:
        assert stack.addresses == first
        assert tokens.read_text() == token


def scraped(prometheus: str) -> list[str]:
    """Return the addresses that Prometheus has scraped with success."""
    targets = ask(prometheus, "/api/v1/targets")["data"]["activeTargets"]
    return sorted(target["labels"]["instance"] for target in targets if target["health"] == "up")


def launched(folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start a launcher of an installation in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", launcher.__name__, str(folder)], env={**os.environ, **environment})


def assert_ends_in_order(process: subprocess.Popen[bytes], number: signal.Signals, folder: Path) -> None:
    """Exit code 0, no process left, no file that points to dead servers."""
    children = children_of(process.pid)
    process.send_signal(number)
    assert process.wait(40) == 0
    assert children
    assert not any(is_alive(pid) for pid in children)
    assert not (folder / ENV_FILE).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
def test_a_signal_ends_all(tmp_path: Path, kafka_bootstrap: str, namespace: str, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal are requests, not failures."""
    # Only one of them has a Kafka of its own: it takes seconds.
    external = {"FLATLINE_KAFKA_BOOTSTRAP": kafka_bootstrap, "FLATLINE_NAMESPACE": namespace}
    with launched(tmp_path, **({} if number == signal.SIGTERM else external)) as process:
        until("all is up", (tmp_path / ENV_FILE).exists)
        assert any("kafka.Kafka" in command for command in children_of(process.pid).values()) == (
            number == signal.SIGTERM
        )
        assert_ends_in_order(process, number, tmp_path)


def test_a_signal_ends_a_start_that_is_under_way(tmp_path: Path) -> None:
    """Nobody has to wait for Kafka to be up to get rid of it."""
    with launched(tmp_path) as process:
        until(
            "Kafka is started", lambda: any("kafka.Kafka" in command for command in children_of(process.pid).values())
        )
        assert_ends_in_order(process, signal.SIGTERM, tmp_path)


def test_existing_cluster_is_used(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> None:
    """With a bootstrap address in the settings no Kafka is started, and the topics are created over there."""
    with stack_of(tmp_path, kafka_bootstrap=kafka_bootstrap, namespace=namespace) as stack:
        assert stack.addresses["kafka"] == kafka_bootstrap
        assert not any("kafka.Kafka" in command for command in started_since(stack))
    assert check_topics(KafkaCluster(kafka_bootstrap), Topics(namespace=namespace, partitions=2).all()) == []


def started_since(stack: LocalStack) -> list[str]:
    """Return the command lines of this process' children that work in the stack's folder."""
    return [command for command in children_of(os.getpid()).values() if str(stack.settings.data_dir) in command]


def test_unreachable_cluster_is_named(tmp_path: Path) -> None:
    """The message has the address and the variable to correct."""
    nobody = f"127.0.0.1:{Ports(tmp_path / 'ports.json').claim('nobody')}"
    with (
        pytest.raises(LaunchError, match=f"(?s)No Kafka answers at {nobody}.*FLATLINE_KAFKA_BOOTSTRAP"),
        stack_of(tmp_path, kafka_bootstrap=nobody),
    ):
        pass


def test_failed_start_ends_what_was_started(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> None:
    """A service that can't start is the end of the others, and the folder is free again."""

    def broken(_settings: SettingsOf, _ports: object) -> list[Process]:
        ready = Process("ready", [sys.executable, "-c", "import time; time.sleep(600)"], "127.0.0.1:0", lambda: True)
        failing = Process("failing", [sys.executable, "-c", "exit('out of luck')"], "127.0.0.1:0", lambda: False)
        targets = stand_ins(tmp_path / "www")(_settings, [Ports(tmp_path / "ports.json").claim("worker")])
        return [ready, failing, *targets]

    before = set(children_of(os.getpid()))
    settings = Settings(kafka_bootstrap=kafka_bootstrap, namespace=namespace)
    for _attempt in range(2):
        with (
            pytest.raises(LaunchError, match=r"(?s)failing ended with exit code 1 before.*out of luck"),
            LocalStack(tmp_path / "data", settings, services=broken),
        ):
            pass
    assert set(children_of(os.getpid())) == before
