"""What servers answer, and the processes that they are."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.local.observing import children_of


class Subject(NamedTuple):
    """Which alert, on which article, group, source, process or topic."""

    alert: str
    name: str = ""


def ask(address: str, path: str, **parameters: str) -> Any:
    """Return what an HTTP API says."""
    with urlopen(f"http://{address}{path}?{urlencode(parameters)}", timeout=5) as answer:
        return json.load(answer)


def series(prometheus: str, query: str) -> list[dict[str, str]]:
    """Return the labels of what an instant query finds."""
    found = ask(prometheus, "/api/v1/query", query=query)["data"]["result"]
    return [each["metric"] for each in found]


def pid_at(address: str) -> int:
    """Return the process id of our child that listens at an address; its command line or environment says so."""
    _, _, port = address.rpartition(":")
    for pid, command in children_of(os.getpid()).items():
        is_worker = command.rstrip().endswith("flatline worker")
        environment = Path(f"/proc/{pid}/environ").read_bytes() if is_worker else b""
        if f"--web.listen-address={address}" in command or f"FLATLINE_WORKER_PORT={port}".encode() in environment:
            return pid
    raise AssertionError(f"no process listens at {address}")


def alerts(prometheus: str, state: str = "pending|firing") -> set[Subject]:
    """Return what the alerts in a state, or several, are on."""
    said = ask(prometheus, "/api/v1/alerts")["data"]["alerts"]
    return {subject_of(alert["labels"]) for alert in said if alert["state"] in state.split("|")}


def subject_of(labels: dict[str, str]) -> Subject:
    """Return what an alert with these labels is on."""
    names = (labels[name] for name in ("article", "group", "source", "instance", "topic") if name in labels)
    return Subject(labels["alertname"], next(names, ""))
