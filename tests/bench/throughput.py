"""Throughput: how many events a second every peer accumulates, on the same events. README.md says the rules."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from flatline.local import programs
from tests.bench import report
from tests.bench.broker import log_bytes
from tests.bench.ours import OURS
from tests.bench.peer import Peer, Program, python
from tests.bench.rounds import Entrant, take_turns
from tests.bench.run import Answer, Run, Totals
from tests.bench.workload import Workload

EVENTS: Final = 2_000_000
EVENTS_MIN: Final = 5_000
REPEATS: Final = 3
WARM_UP: Final = 0.25  # of the events: a JVM compiles for that long

BUILT: Final = programs.PROJECT / ".tools" / "bench"
_PEERS_PYTHON: Final = BUILT / "venv" / "bin" / "python"


def _foreign(module: str) -> list[str]:
    return [str(_PEERS_PYTHON), "-m", f"tests.bench.peers.{module}"]


def _kafka_streams(threads: int) -> list[str]:
    classes = BUILT / "kafka_streams"
    return [
        programs.java(),
        "-Xmx3g",
        "-XX:+UseParallelGC",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{classes}/classes:{classes}/lib/*",
        "flatline.bench.Main",
        str(threads),
    ]


def peers() -> list[Peer]:
    """Return those that PEERS names, else all that are installed; we come first. Raises LaunchError without a Java."""
    every: list[Peer] = [
        OURS,
        Program("ceiling", "aiokafka, decoding only", python("tests.bench.peers.ceiling"), "ceiling"),
        Program("kafka_streams_1_thread", "Kafka Streams, 1 thread", _kafka_streams(1), "kafka_streams", share=1 / 2),
        Program("kafka_streams_2_threads", "Kafka Streams, 2 threads", _kafka_streams(2), "kafka_streams", share=1 / 2),
        Program("bytewax", "Bytewax, recovery on", _foreign("bytewax"), "bytewax", share=1 / 2),
        Program("quix", "Quix Streams, RocksDB", _foreign("quix"), "quix", share=1 / 5),
        Program("faust", "stock Faust, plain Table", python("tests.bench.peers.faust_table"), "faust", share=1 / 40),
    ]
    if wanted := os.environ.get("PEERS", "").replace(",", " ").split():
        return [OURS, *(peer for peer in every if peer.family in wanted and peer is not OURS)]
    if not any((BUILT / "venv" / "lib").glob("python*/site-packages/bytewax")):
        report.say("Bytewax is left out: it has no release for this Python")
        return [peer for peer in every if peer.family != "bytewax"]
    return every


def measure(bootstrap: str, folder: Path) -> dict[str, float]:
    """Run all peers; return their rates, and ours over theirs. Raises WrongResult and LaunchError."""
    events, repeats = int(os.environ.get("EVENTS", EVENTS)), int(os.environ.get("REPEATS", REPEATS))
    entrants = []
    for peer in peers():
        load = Workload(max(EVENTS_MIN, round(events * peer.share)))
        entrants.append(Entrant(peer, load, warm_up=round(load.events * WARM_UP)))
    changelog_bytes_per_link = 0.0

    def ended(peer: Peer, run: Run, totals: Totals) -> None:
        nonlocal changelog_bytes_per_link
        if peer is OURS:
            changelog_bytes_per_link = log_bytes(bootstrap, run.topics.changelog.name) / totals.links

    answers = take_turns(bootstrap, folder, entrants, repeats=repeats, ended=ended)
    _show(entrants, answers)
    return {
        "events": events,
        "articles": entrants[0].load.articles,
        **_figures([entrant.peer for entrant in entrants], answers),
        "changelog_bytes_per_link": changelog_bytes_per_link,
    }


def _figures(peers: Sequence[Peer], answers: Mapping[str, Sequence[Answer]]) -> dict[str, float]:
    rates = {name: median(answer.events_per_s for answer in repeats) for name, repeats in answers.items()}
    cpu_s = {name: median(answer.cpu_s_per_million_events for answer in repeats) for name, repeats in answers.items()}
    best: dict[str, float] = {}
    for peer in peers:
        best[peer.family] = max(rates[peer.name], best.get(peer.family, 0.0))
    ours = best.pop(OURS.family)
    return {
        **{f"vs_{family}": ours / rate for family, rate in best.items()},
        **{f"{name}_events_per_s": rate for name, rate in rates.items()},
        **{f"{name}_cpu_s_per_million_events": seconds for name, seconds in cpu_s.items()},
    }


def _show(entrants: Sequence[Entrant], answers: Mapping[str, Sequence[Answer]]) -> None:
    rates = {name: [answer.events_per_s for answer in repeats] for name, repeats in answers.items()}
    ours = median(rates[OURS.name])
    report.table(
        ("", "events", "events/s", "slowest to fastest", "CPU s / million", "ours / this"),
        (
            (
                peer.title,
                f"{load.events:,}",
                f"{median(rates[peer.name]):,.0f}",
                f"{min(rates[peer.name]):,.0f} to {max(rates[peer.name]):,.0f}",
                f"{median(answer.cpu_s_per_million_events for answer in answers[peer.name]):.1f}",
                "" if peer is OURS else f"{ours / median(rates[peer.name]):.2f}",
            )
            for peer, load, _ in entrants
        ),
    )
