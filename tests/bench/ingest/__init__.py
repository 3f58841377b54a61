"""The ingest under load, beside a bare aiohttp handler that only reads and parses the same bodies.

`clients.CLIENTS` clients push batches of 500 events, and of one, as fast as they are answered. The ingest answers when
Kafka has all events of a batch; afterwards its topic must hold exactly those that it has accepted. Servers take turns.
``ingest_clients_core_share`` is the most that the clients' one process ever took: near 1 they would be the bottleneck.

The environment may set INGEST_ROUNDS and INGEST_MS, for how long the clients push while their events are counted.
"""

import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import orjson

from flatline.admin.topics import ensure_topics
from flatline.kafka.cluster import KafkaCluster
from flatline.local import probes
from flatline.local.errors import LaunchError
from flatline.local.ports import LOOPBACK, Ports
from flatline.local.processes import Child, Process
from flatline.local.supervisor import Supervisor
from flatline.settings import Settings
from tests.bench.part import WrongResult, setting
from tests.bench.report import say
from tests.bench.worker import PARTITIONS, record_count, topics
from tests.scripts import FLATLINE

_BATCH: Final = 500
_TOKEN: Final = "a-token-of-the-benchmark"
_UNLIMITED: Final = "1e12"
_ASK_EVERY_S: Final = 0.05
_PATIENCE_S: Final = 300


@dataclass(frozen=True)
class Pushed:
    """``accepted`` events in all; the other figures are of the time without the warm-up and the end."""

    accepted: int
    events_per_s: float
    core_share: float


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Return the rates of the ingest, in events/s, and over those of the bare handler.

    Raises LaunchError and WrongResult.
    """
    say(f"ingest: batches of {_BATCH}, and of 1")
    servers = {"ours": _ours(bootstrap, folder), "bare": _bare(folder)}
    rates: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    accepted, clients_core_share = 0, 0.0
    with Supervisor(folder / "servers", say=say) as supervisor:
        supervisor.start(*servers.values())
        for batch in (_BATCH, 1) * setting("INGEST_ROUNDS", 2):
            for name, server in servers.items():
                pushed = _push(server.address, batch, folder)
                rates[name, batch].append(pushed.events_per_s)
                accepted += pushed.accepted if name == "ours" else 0
                clients_core_share = max(clients_core_share, pushed.core_share)
                say(f"  {name}, batches of {batch}: {pushed.events_per_s:,.0f} events/s")
    taken = record_count(bootstrap, topics("ingest").links)
    if taken != accepted:
        raise WrongResult(f"The ingest accepted {accepted:,} events, and the topic has {taken:,}")
    ours, bare, ours_single, bare_single = (median(rates[name, batch]) for batch in (_BATCH, 1) for name in servers)
    return {
        "ingest_events_per_s": ours,
        "ingest_bare_events_per_s": bare,
        "ingest_vs_bare": ours / bare,
        "ingest_single_events_per_s": ours_single,
        "ingest_single_bare_events_per_s": bare_single,
        "ingest_single_vs_bare": ours_single / bare_single,
        "ingest_clients_core_share": clients_core_share,
    }


def _ours(bootstrap: str, folder: Path) -> Process:
    """Return the ingest as it runs for everybody, but for the limit of events/s."""
    namespace, tokens = topics("ingest"), folder / "tokens"
    ensure_topics(KafkaCluster(bootstrap), namespace.all())
    tokens.touch(mode=0o600)
    tokens.write_text(f"crawler-a:{_TOKEN}\n")
    port = Ports(folder / "ingest.ports.json").claim("ours")
    settings = {"kafka_bootstrap": bootstrap, "namespace": "ingest", "partitions": PARTITIONS, "data_dir": folder}
    settings |= {"ingest_max_events_per_s": _UNLIMITED, "ingest_max_bytes_per_s": _UNLIMITED}
    command = [FLATLINE, "ingest", "--port", str(port), "--tokens-file", str(tokens)]
    return _server("ingest", command, port, Settings.model_validate(settings).environment())


def _bare(folder: Path) -> Process:
    port = Ports(folder / "ingest.ports.json").claim("bare")
    return _server("bare", [sys.executable, "-m", "tests.bench.ingest.bare", str(port)], port, {})


def _server(name: str, command: list[str], port: int, environment: dict[str, str]) -> Process:
    address = f"{LOOPBACK}:{port}"
    return Process(
        name, command, address, is_ready=lambda: probes.answers_ok(address, "/readyz"), environment=environment
    )


def _push(address: str, batch: int, folder: Path) -> Pushed:
    """Have the clients push, and return what became of it. Raises LaunchError."""
    file = folder / "pushed.json"
    file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.bench.ingest.clients", address, _TOKEN, str(batch), str(file)]
    child = Child(Process("clients", command, address, is_ready=lambda: True), folder)
    give_up_at_s = time.monotonic() + _PATIENCE_S
    try:
        while child.end() is None and time.monotonic() < give_up_at_s:
            time.sleep(_ASK_EVERY_S)
        end = child.end() or f"took more than {_PATIENCE_S} s"
    finally:
        child.terminate()
        child.wait_ended(time.monotonic() + 5)
    if not file.exists():
        raise LaunchError(f"The clients {end}.{child.last_lines()}")
    return Pushed(**orjson.loads(file.read_bytes()))
