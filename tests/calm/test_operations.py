"""What operators do to a running installation, on real servers: nobody is told anything."""

import secrets
import signal
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from flatline.demo.slack_inbox import SlackInbox
from flatline.local.ports import Ports
from flatline.local.services import flatline_services
from flatline.local.stack import LocalStack
from flatline.local.supervisor import Supervisor
from tests.calm import history
from tests.calm.installation import calm
from tests.calm.operating import Operator
from tests.calm.servers import Subject, alerts, ask, series, subject_of
from tests.waiting import until

WORKERS = ("worker-1", "worker-2")
SILENT = {Subject("ArticleSilent", article) for article in history.SILENT}
FINE = SILENT | {Subject("Watchdog")}
ATTENDED = "job:flatline_partitions_attended:sum == job:flatline_declared_partitions:max"
# An hour of the accelerated clock.
HOUR_S = 30.0
# A group of alerts waits before it is told, and so long again before there is more to be said of it.
AFTERMATH_S = 16.0


class Running(NamedTuple):
    """An installation that has told all there is to be told."""

    stack: LocalStack
    inbox: SlackInbox
    operator: Operator

    def assert_calm(self) -> None:
        """Nothing but what fired before has fired, and Slack has heard nothing; what fired does so again."""
        prometheus = self.stack.addresses["prometheus"]
        until("the silences are alerts", lambda: alerts(prometheus, "firing") == FINE)
        until("each partition has a worker", lambda: bool(series(prometheus, ATTENDED)))
        stored = series(prometheus, 'last_over_time(ALERTS{alertstate="firing"}[1h])')
        assert {subject_of(labels) for labels in stored} == FINE
        assert self.inbox.arrivals() == []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, kafka_bootstrap: str) -> Iterator[Running]:
    """Return the installation that all tests of this module work on, one after the other."""
    folder, namespace = tmp_path_factory.mktemp("calm"), f"test-{secrets.token_hex(6)}"
    with calm(folder, kafka_bootstrap, namespace) as (stack, inbox):
        inbox.arrivals()
        yield Running(stack, inbox, Operator(stack))


def test_alertmanager_restarts(running: Running) -> None:
    """It forgets all alerts, but not what it has said of them. Prometheus sends them again within a minute."""
    running.operator.restart("alertmanager", signal.SIGTERM)
    running.assert_calm()


def test_rebalance(running: Running) -> None:
    """A worker joins and takes its share of the articles, and leaves it to the others again."""
    stack, operator = running.stack, running.operator
    workers = [stack.addresses[name] for name in WORKERS]
    folder = stack.settings.data_dir / "third"
    port = Ports(folder / "ports.json").claim("worker")
    third = flatline_services(lambda _role: stack.settings, [port])[1]
    with Supervisor(folder / "logs", say=print) as supervisor:
        supervisor.start(third)
        operator.wait_scraped(*workers, third.address)
        wait_seen(stack, third.address)
    operator.wait_scraped(*workers)
    running.assert_calm()


def wait_seen(stack: LocalStack, worker: str) -> None:
    """Wait until Prometheus sees articles on a worker."""
    shown = f'flatline_watched_article_state{{instance="{worker}"}}'
    until(f"articles are on {worker}", lambda: bool(series(stack.addresses["prometheus"], shown)))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=lambda how: how.name)
def test_deployment(running: Running, how: signal.Signals) -> None:
    """One worker after the other ends, in order or not, and comes back."""
    for name in WORKERS:
        running.operator.restart(name, how)
        wait_seen(running.stack, running.stack.addresses[name])
    running.assert_calm()


def test_prometheus_restarts(running: Running) -> None:
    """What fired has to wait for its time again, and is neither called over meanwhile nor told again."""
    running.operator.restart("prometheus", signal.SIGTERM)
    running.assert_calm()


def test_prometheus_hangs_for_an_hour(running: Running) -> None:
    """What it has not seen meanwhile it does not take for news, even if it dies of it."""
    running.operator.hang("prometheus", HOUR_S)
    running.assert_calm()


def test_an_hour_without_a_scrape(running: Running) -> None:
    """While Prometheus runs, and sees nobody, all that it was told last holds."""
    addresses = running.stack.addresses
    with running.operator.without_scrapes():
        started_s = time.monotonic()
        while time.monotonic() < started_s + HOUR_S:
            assert alerts(addresses["prometheus"], "firing") == FINE
            time.sleep(0.5)
    running.assert_calm()


def test_nothing_comes_afterwards(running: Running) -> None:
    """Alertmanager has all alerts again, and has had the time in which it would have told anything of them."""
    alertmanager = running.stack.addresses["alertmanager"]
    until("Alertmanager has the silences again", lambda: held(alertmanager) >= SILENT)
    time.sleep(AFTERMATH_S)
    running.assert_calm()
    assert SILENT <= held(alertmanager) <= FINE


def held(alertmanager: str) -> set[Subject]:
    """Return what the alerts that an Alertmanager has are on."""
    return {subject_of(alert["labels"]) for alert in ask(alertmanager, "/api/v2/alerts")}
