"""`flatline import`."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from streams.clock import clock_from
from streams.schema.topics import Topics
from streams.settings import load_settings


def import_files(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="NDJSON, also .gz or .zst; - is stdin.")],
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 4 if a line was rejected.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object.")] = False,
) -> None:
    """Send files of link events to Kafka, one JSON object a line.

    A line that can't be taken goes to the dead-letter topic with its reason, and the others are taken. Importing the
    same file again changes nothing.
    """
    from connectors import links
    from connectors.importer import say_finished
    from connectors.lines import LineFile
    from connectors.producer import Producer
    from streams.cli.importing import CtrlC, report, run_import

    # Tens of thousands of records wait for Kafka at any time: looking for garbage among them takes half of the time.
    gc.set_threshold(100_000)
    ctrl_c = CtrlC()
    sources = [LineFile(None if str(file) == "-" else file, reading=ctrl_c.reading) for file in files]
    settings = load_settings()
    topics = Topics(namespace=settings.namespace, partitions=settings.partitions)
    with Producer(settings.kafka_bootstrap, topics, now_ms=clock_from(settings).now_ms) as producer:
        outcome = run_import(sources, producer, ctrl_c, prepare=links.prepare, send=producer.send_link)
        if not outcome.is_interrupted:
            say_finished(producer)
    report(
        outcome,
        dead_letters=topics.dead_letters.name,
        bootstrap=settings.kafka_bootstrap,
        as_json=json,
        is_strict=strict,
    )
