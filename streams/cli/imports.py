"""`flatline import`."""

import gc
from pathlib import Path
from typing import Annotated

import typer


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
    from connectors.producer import Producer
    from streams.cli.importing import Way, import_all

    # Tens of thousands of records wait for Kafka at any time: looking for garbage among them takes half of the time.
    gc.set_threshold(100_000)

    def way(producer: Producer) -> Way[links.PreparedLink]:
        return Way(links.prepare, producer.send_link, at_end=lambda: say_finished(producer))

    import_all(files, way, as_json=json, is_strict=strict)
