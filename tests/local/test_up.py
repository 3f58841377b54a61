import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from itertools import pairwise
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.local.observing import children_of, is_alive
from tests.scripts import FLATLINE
from tests.waiting import PATIENCE_S, until


def curl_arguments(shown: str) -> list[str]:
    """Return what the shell makes of the curl command in the text, whether there is a curl or not."""
    command = shown[shown.index("  curl ") :].partition("\n\n")[0]
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{command}"
    told = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True).stdout
    return told.split("\0")[:-1]


@contextmanager
def running(command: list[str], environment: Mapping[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `flatline up` for the block; yield the process, and what it had shown when everything was ready."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as up:
        try:
            assert up.stdout
            shown = ""
            while "Ctrl-C" not in shown:
                line = up.stdout.readline()
                assert line, shown
                shown += line
            yield up, shown
        finally:
            up.kill()


def test_up_does_what_it_says(tmp_path: Path, kafka_bootstrap: str, namespace: str) -> None:
    """The first event can be sent as shown, connectors run, doctor finds all well, a second start is refused.

    Ctrl-C ends all.
    """
    folder = tmp_path / "it's here"
    environment = {**os.environ, "FLATLINE_KAFKA_BOOTSTRAP": kafka_bootstrap, "FLATLINE_NAMESPACE": namespace}
    (tmp_path / "connectors.toml").write_text('[dropped]\nkind = "folder"\nfolder = "."\n')
    environment["FLATLINE_CONNECTORS_FILE"] = str(tmp_path / "connectors.toml")
    command = [FLATLINE, "up", "--data-dir", str(folder), "--workers", "2"]
    with running(command, environment) as (up, shown):
        assert "worker-2" in shown

        url, *options = curl_arguments(shown)
        headers = dict(value.split(": ") for name, value in pairwise(options) if name == "-H")
        body = options[options.index("-d") + 1].encode()
        with urlopen(Request(url, body, headers)) as answer:
            assert json.load(answer) == {"accepted": 1, "rejected": []}
        with urlopen(shown[shown.rindex("  curl ") :].split()[1]) as answer:
            assert set(json.load(answer)) == {"rows", "next"}
        assert headers["Authorization"].removeprefix("Bearer ") not in shown

        connectors = [FLATLINE, "connect", "list", "--json", "--data-dir", str(folder)]
        until("the connector has run", lambda: '"ran_at":"2' in subprocess.check_output(connectors, text=True))
        doctor = [FLATLINE, "doctor", "--data-dir", str(folder)]
        assert subprocess.run(doctor, check=False).returncode == 0
        second = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
        assert second.returncode == 1
        assert second.stderr.startswith(f"Error: {folder} is in use by process {up.pid}.")
        children = children_of(up.pid)
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    assert len(children) == 7
    assert not any(is_alive(pid) for pid in children)


@pytest.mark.servers
def test_up_with_three_brokers_goes_on_without_one(tmp_path: Path) -> None:
    """A broker is killed while events are pushed: it is started again, and what was accepted is counted once.

    So it is after the next start.
    """
    environment = os.environ | {"FLATLINE_PARTITIONS": "2", "FLATLINE_DATA_DIR": str(tmp_path)}

    def flatline(*arguments: str) -> str:
        done = subprocess.run([FLATLINE, *arguments], env=environment, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for run in (1, 2):
        with running([FLATLINE, "up", "--brokers", "3"], environment) as (up, shown):
            url, *options = curl_arguments(shown)
            headers = dict(value.split(": ") for name, value in pairwise(options) if name == "-H")
            for page in range(20):
                if (run, page) == (1, 5):
                    os.kill(broker_of(up.pid, 1), signal.SIGKILL)
                event = {"url_from": f"https://elsewhere.example/{run}/{page}", "url_to": "https://yours.example/"}
                request = Request(url, json.dumps(event).encode(), headers)
                until("it is accepted", lambda request=request: is_accepted(request))  # type: ignore[misc]
            [article] = map(json.loads, flatline("articles", "list", "--json", "--wait", str(PATIENCE_S)).splitlines())
            assert article["gained_total"] == 20 * run
            until("the broker is back", lambda up=up: broker_of(up.pid, 1) != 0)  # type: ignore[misc]
            # Whether each record has its replicas: doctor compares the topics with what they should be.
            flatline("doctor")
            up.send_signal(signal.SIGINT)
            assert up.wait(120) == 0


def broker_of(pid: int, number: int) -> int:
    """Return the process of a broker that `flatline up` runs; 0 while there is none."""
    found = [child for child, command in children_of(pid).items() if f"/kafka-{number}/" in command and is_alive(child)]
    return found[0] if found else 0


def is_accepted(request: Request) -> bool:
    """Whether an ingest takes an event; while Kafka does not acknowledge, it asks to send it again."""
    try:
        with urlopen(request) as answer:
            return bool(json.load(answer)["accepted"])
    except HTTPError as error:
        if error.code != HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return False


@pytest.mark.servers
def test_up_secured_rehearses_production(tmp_path: Path) -> None:
    """It works with TLS, passwords and permissions, the second time as well; nobody gets in without, or does more."""
    environment = os.environ | {"FLATLINE_PARTITIONS": "1", "FLATLINE_DATA_DIR": str(tmp_path)}
    passwords = tmp_path / "kafka-secured" / "passwords"

    def flatline(*arguments: str, **others: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [FLATLINE, *arguments], env=environment | others, check=False, capture_output=True, text=True
        )

    for number in (1, 2):
        with running([FLATLINE, "up", "--secured", "--workers", "1"], environment) as (up, shown):
            url, *options = curl_arguments(shown)
            headers = dict(value.split(": ") for name, value in pairwise(options) if name == "-H")
            event = {"url_from": "https://elsewhere.example/post", "url_to": f"https://yours.example/{number}"}
            with urlopen(Request(url, json.dumps(event).encode(), headers)) as answer:
                assert json.load(answer) == {"accepted": 1, "rejected": []}
            with urlopen(shown[shown.rindex("  curl ") :].split()[1]) as answer:
                assert set(json.load(answer)) == {"rows", "next"}
            listed = flatline("articles", "list", "--json", "--wait", str(PATIENCE_S))
            assert len(listed.stdout.splitlines()) == number, listed.stderr
            doctor = flatline("doctor")
            assert doctor.returncode == 0, doctor.stdout
            as_ingest = {
                "FLATLINE_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
                "FLATLINE_KAFKA_SASL_USERNAME": "flatline-ingest",
                "FLATLINE_KAFKA_SASL_PASSWORD_FILE": str(passwords / "ingest"),
            }
            refused = flatline("topics", "check", **as_ingest)
            assert "AlterConfigs on topics that begin with flatline." in refused.stderr
            up.send_signal(signal.SIGINT)
            assert up.wait(60) == 0
    assert not (passwords / "worker").stat().st_mode & 0o077
