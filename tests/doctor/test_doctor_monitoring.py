import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from flatline.doctor.check_result import CheckResult, Sign
from flatline.doctor.installation import examine_installation
from flatline.local.ports import Ports
from flatline.local.stack import LocalStack
from flatline.settings import Settings
from tests.local.observing import children_of, standing_still
from tests.local.stand_ins import stand_ins
from tests.waiting import until

# Alerts are left out: on stand-ins none is as in an installation that works, and the watchdog takes a minute to come.
OF_MONITORING = (
    "worker",
    "ingest",
    "Prometheus",
    "Prometheus' configuration",
    "scrape targets",
    "rules",
    "Prometheus' Alertmanagers",
    "Alertmanager",
    "Alertmanager's configuration",
    "receivers",
    "silences",
)


def by_name(settings: Settings) -> dict[str, CheckResult]:
    """Return what is found, by what was looked at."""
    return {finding.what: finding for finding in examine_installation(settings)}


@pytest.fixture
def stack(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> Iterator[LocalStack]:
    """Return an installation with stand-ins for its services, at a pace at which all is done each second."""
    webhook = tmp_path / "webhook"
    webhook.write_text("http://127.0.0.1:1/SECRET")
    settings = Settings.model_validate(
        {
            "kafka_bootstrap": kafka_bootstrap,
            "namespace": namespace,
            "partitions": 2,
            "slack_webhook_url_file": webhook,
            "clock_speed": 86400,
        }
    )
    with LocalStack(tmp_path / "data", settings, services=stand_ins(tmp_path / "www")) as stack:
        until("all is well", lambda: not not_fine(stack.settings))
        yield stack


def not_fine(settings: Settings) -> dict[str, CheckResult]:
    """Return what of the monitoring is wrong or worth a look."""
    found = by_name(settings)
    return {what: found[what] for what in OF_MONITORING if what in found and found[what].sign != Sign.FINE}


def pid_of(stack: LocalStack, program: str) -> int:
    """Return the process id of a server of the stack."""
    folder = str(stack.settings.data_dir / program)
    [pid] = [pid for pid, command in children_of(os.getpid()).items() if f"={folder}/" in command]
    return pid


def reload(stack: LocalStack, program: str) -> None:
    """Have a server of the stack read its files again."""
    os.kill(pid_of(stack, program), signal.SIGHUP)


def edited(file: Path, **changes: dict[str, Any]) -> None:
    """Change the rules of these names in a file; those that change to nothing are taken away."""
    content = yaml.safe_load(file.read_text())
    for group in content["groups"]:
        group["rules"] = [
            rule | changes.get(rule.get("alert"), {}) for rule in group["rules"] if changes.get(rule.get("alert")) != {}
        ]
    file.write_text(yaml.safe_dump(content))


def test_what_is_wrong_with_scraping_and_services_is_said(stack: LocalStack, tmp_path: Path) -> None:
    """A target that is down is named with Prometheus' reason, a service that isn't ready with its answer."""
    (tmp_path / "www" / "metrics").unlink()
    until("both are down", lambda: by_name(stack.settings)["scrape targets"].says.count(" is down: ") == 2)
    (tmp_path / "www" / "readyz").unlink()
    found = not_fine(stack.settings)
    assert found.keys() == {"scrape targets", "worker", "ingest"}
    worker = stack.addresses["worker-1"]
    assert f"flatline-worker {worker} is down: server returned HTTP status 404" in found["scrape targets"].says
    assert f"http://{worker} answers /readyz with 404" in found["worker"].says


def test_the_watchdog_shows_that_alerts_arrive(stack: LocalStack) -> None:
    """It is missed at first, which is worth a look after a start; then it has come all the way from Prometheus."""
    what = "Prometheus → Alertmanager"
    found = by_name(stack.settings)[what]
    assert found.sign in (Sign.LOOK, Sign.FINE)
    until("it came", lambda: by_name(stack.settings)[what].sign == Sign.FINE)


def test_rules_are_compared_with_the_files(stack: LocalStack) -> None:
    """Missing, different and failing ones are named; the rest goes without saying."""
    rules = stack.settings.data_dir / "prometheus" / "rules"
    edited(rules / "events.yml", DeadLetters={})
    edited(rules / "workers.yml", WorkerDown={"for": "7h"})
    edited(rules / "sources.yml", SourceStale={"expr": "up * on () up"})
    reload(stack, "prometheus")
    until("the broken rule was evaluated", lambda: "SourceStale: " in by_name(stack.settings)["rules"].says)
    found = by_name(stack.settings)["rules"]
    assert found.sign == Sign.WRONG
    missing, outdated, remedy, *unhealthy = found.says.splitlines()
    assert missing == "not loaded: DeadLetters"
    assert outdated == "not as in the files: SourceStale (expr), WorkerDown (for)"
    assert "reload" in remedy
    assert any(line.startswith("SourceStale: found duplicate series") for line in unhealthy)


def test_a_configuration_that_could_not_be_loaded_is_wrong(stack: LocalStack) -> None:
    """Each server goes on with what it had: nothing but this shows it."""
    for program in ("prometheus", "alertmanager"):
        (stack.settings.data_dir / program / f"{program}.yml").write_text("no: configuration\n")
        reload(stack, program)
    both = {"Prometheus' configuration", "Alertmanager's configuration"}
    until("both have tried", lambda: both <= not_fine(stack.settings).keys())
    found = not_fine(stack.settings)
    assert {found[what].sign for what in both} == {Sign.WRONG}
    assert "promtool check config" in found["Prometheus' configuration"].says


def test_a_server_that_hangs_is_found_out(stack: LocalStack) -> None:
    """Alertmanager is there, takes connections and is silent: within seconds that is said, and all else, too."""
    with standing_still(pid_of(stack, "alertmanager")):
        found = not_fine(stack.settings)
    assert found.keys() == {"Alertmanager"}


def test_silent_servers_everywhere_are_found_out(kafka_bootstrap: str, namespace: str) -> None:
    """Sockets that accept and never answer: each is wrong, and they are waited for together, not in turn."""
    with ExitStack() as open_sockets:
        ports = [
            open_sockets.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _server in range(4)
        ]
        settings = Settings.model_validate(
            {
                "kafka_bootstrap": kafka_bootstrap,
                "namespace": namespace,
                "worker_port": ports[0],
                "ingest_port": ports[1],
                "prometheus_url": f"http://user:SECRET@127.0.0.1:{ports[2]}/prometheus",
                "alertmanager_url": f"http://user:SECRET@127.0.0.1:{ports[3]}",
            }
        )
        found = by_name(settings)
    silent = {what: each for what, each in found.items() if "is silent: no answer within 5 s" in each.says}
    assert silent.keys() == {"worker", "ingest", "Prometheus", "Alertmanager"}
    assert {each.sign for each in silent.values()} == {Sign.WRONG}
    assert not any("SECRET" in each.says for each in found.values())


def test_an_alertmanager_that_is_gone_is_named(stack: LocalStack, tmp_path: Path) -> None:
    """With the address, and that Prometheus tells another one."""
    port = Ports(tmp_path / "ports.json").claim("nobody")
    found = not_fine(stack.settings.model_copy(update={"alertmanager_url": f"http://127.0.0.1:{port}"}))
    assert f"http://127.0.0.1:{port} can't be reached" in found["Alertmanager"].says
    assert found["Alertmanager"].sign == Sign.WRONG
    assert stack.addresses["alertmanager"] in found["Prometheus' Alertmanagers"].says


def test_another_server_at_the_address_is_no_prometheus(stack: LocalStack) -> None:
    """Mixed-up addresses are told from servers that are down."""
    urls = {"prometheus_url": stack.settings.alertmanager_url, "alertmanager_url": stack.settings.prometheus_url}
    found = not_fine(stack.settings.model_copy(update=urls))
    assert {what: each.sign for what, each in found.items()} == {"Prometheus": Sign.WRONG, "Alertmanager": Sign.WRONG}
