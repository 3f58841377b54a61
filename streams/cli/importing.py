"""Sends the lines of files to Kafka, with progress and a summary: what all import commands share."""

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import FrameType
from typing import Final, Generic, NamedTuple, Self, TypeVar

import orjson
import typer
from rich.console import Console

from flatline.cli.exit_codes import INTERRUPTED, LINES_REJECTED
from flatline.cli.progress import Display
from flatline.clock import clock_from
from flatline.kafka.cluster import KafkaCluster
from flatline.kafka.console import console_consumer
from flatline.settings import Settings
from flatline_connectors.errors import ConnectorError
from flatline_connectors.files.importer import ImportCounts, take
from flatline_connectors.files.lines import Line, LineFile, UnusableLine
from flatline_connectors.sending.producer import Producer

T = TypeVar("T")

_AGAIN: Final = "Import all of it again: links that are already there are not counted twice."
_DETAIL_CHARACTERS: Final = 200


class CtrlC:
    """Lets Ctrl-C end the reading of files, and nothing else: it never breaks off a send, which holds locks."""

    def __init__(self) -> None:
        self._is_pressed = False
        self._is_reading = False

    def __enter__(self) -> Self:
        self._previous = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._previous)

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        is_second, self._is_pressed = self._is_pressed, True
        if self._is_reading or is_second:  # twice means: at once
            raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if it was pressed."""
        if self._is_pressed:
            raise KeyboardInterrupt

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let Ctrl-C interrupt the block at once."""
        self._is_reading = True
        try:
            self.check()
            yield
        finally:
            self._is_reading = False


@dataclass(frozen=True)
class Outcome:
    """The result of an import."""

    tally: ImportCounts
    seconds: float
    is_interrupted: bool


class ImportRoute(NamedTuple, Generic[T]):
    """How the lines of one kind of file get to Kafka.

    ``at_end``            is called after all were sent
    ``when_interrupted``  says what is in Kafka if somebody interrupts the import
    """

    prepare: Callable[[bytes], T]
    send: Callable[[T], None]
    as_lines: Callable[[LineFile], Iterator[Line | UnusableLine]] = iter
    at_end: Callable[[], None] = lambda: None
    when_interrupted: str = "Everything read so far is in Kafka."


def import_all(
    paths: Iterable[Path],
    route_of: Callable[[Producer], ImportRoute[T]],
    settings: Settings,
    *,
    as_json: bool,
    is_strict: bool,
    remarks: Callable[[], Iterable[str]] = tuple,
) -> None:
    """Send all lines of these files (- is stdin) to the installation's Kafka; print ``remarks`` and what came of it.

    End the program with an exit code if that isn't 0. Raise a `ConnectorError` that says how far it came.
    """
    ctrl_c = CtrlC()
    files = [LineFile(None if str(path) == "-" else path, reading=ctrl_c.reading) for path in paths]
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role

    topics = serving_topics(settings, Role.CONNECTORS)
    dead_letters = topics.dead_letters.name
    with Producer(settings.cluster, topics, now_ms=clock_from(settings).now_ms) as producer:
        route = route_of(producer)
        outcome = _run(files, producer, ctrl_c, route)
        if not outcome.is_interrupted:
            route.at_end()
    if as_json:
        sys.stdout.buffer.write(orjson.dumps(_summary(outcome, dead_letters), option=orjson.OPT_APPEND_NEWLINE))
    else:
        if outcome.is_interrupted:
            sys.stdout.write(f"Interrupted. {route.when_interrupted} {_AGAIN}\n")
        for line in chain(remarks(), _sentences(outcome, dead_letters=dead_letters, cluster=settings.cluster)):
            sys.stdout.write(f"{line}\n")
    if outcome.is_interrupted:
        raise typer.Exit(INTERRUPTED)
    if is_strict and outcome.tally.rejected:
        raise typer.Exit(LINES_REJECTED)


def _run(files: list[LineFile], producer: Producer, ctrl_c: CtrlC, route: ImportRoute[T]) -> Outcome:
    """Send all lines, showing the progress, and wait until Kafka has them; Ctrl-C ends it early."""
    tally, started_s, is_interrupted = ImportCounts(), time.monotonic(), False
    failure: ConnectorError | None = None
    display = Display(files, Console(stderr=True, highlight=False))
    with display.running(), ctrl_c:
        try:
            for file in files:
                for _ in take(file, tally, producer, prepare=route.prepare, send=route.send, as_lines=route.as_lines):
                    display.show(tally.lines)
                    ctrl_c.check()
        except KeyboardInterrupt:
            is_interrupted = True
        except ConnectorError as error:
            failure = error
        try:
            producer.flush()
        except ConnectorError as error:
            failure = failure or error
    if failure:
        if not tally.lines:
            raise failure
        extent = f"Of {tally.lines:,} lines read before that, {producer.deliveries.acknowledged:,} are in Kafka."
        raise ConnectorError(f"{failure}\n{extent}", remedy=f"{failure.remedy} {_AGAIN}") from failure
    return Outcome(tally, time.monotonic() - started_s, is_interrupted)


def _summary(outcome: Outcome, dead_letters: str) -> dict[str, object]:
    tally = outcome.tally
    return {
        "lines": tally.lines,
        "accepted": tally.accepted,
        "rejected": tally.rejected.total(),
        "rejected_by_reason": {reason.value: count for reason, count in tally.rejected.most_common()},
        "dead_letter_topic": dead_letters,
        "seconds": round(outcome.seconds, 3),
        "lines_per_s": round(tally.lines / outcome.seconds),
        "interrupted": outcome.is_interrupted,
    }


def _sentences(outcome: Outcome, *, dead_letters: str, cluster: KafkaCluster) -> Iterator[str]:
    tally = outcome.tally
    rate = f"{outcome.seconds:.1f} s, {tally.lines / outcome.seconds:,.0f}/s"
    yield f"{tally.lines:,} lines: {tally.accepted:,} accepted, {tally.rejected.total():,} rejected ({rate})."
    for reason, count in tally.rejected.most_common():
        file, number, detail = tally.rejected.examples[reason]
        yield f"  {count:,} {reason}; the first in {file}, line {number}: {detail[:_DETAIL_CHARACTERS]}"
    if tally.rejected:
        yield f"The rejected lines are in the topic {dead_letters}, each with its reason."
        if command := console_consumer(cluster, dead_letters):
            yield f"To see them:\n  {command}"
