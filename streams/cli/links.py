"""`flatline links`: links that somebody else has listed."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from flatline.cli.grammar import noun
from flatline.cli.options import Json, Strict, with_settings
from flatline.settings import Settings
from flatline_connectors.files.exports.dates import DateOrder

app = noun("Bring in links from files.")


@app.command("import")
@with_settings()
def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Exports, sheets or NDJSON; also .gz, .zst, .zip and .xlsx; - is stdin."),
    ],
    *,
    format_name: Annotated[
        str, typer.Option("--format", metavar="NAME", help="Insist on a format; else it is recognised.")
    ] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FIELD=COLUMN", help="Name a column of a sheet: url_from=COLUMN. Repeatable."),
    ] = None,
    date_order: Annotated[
        DateOrder | None, typer.Option("--date-order", help="How 03/04/2026 is meant where the file doesn't tell.")
    ] = None,
    sites: Annotated[
        list[str] | None,
        typer.Option("--site", metavar="HOST", help="A site of yours: only links to it are taken. Repeatable."),
    ] = None,
    source: Annotated[str, typer.Option(help="Source that the events name; else the tool: ahrefs-export.")] = "",
    exported_on: Annotated[
        str, typer.Option("--exported-on", metavar="DATE", help="When the export was made; else the file's own time.")
    ] = "",
    history_before: Annotated[
        str,
        typer.Option(
            "--history-before",
            metavar="DATE",
            help="What was first seen before is history; else 14 days before the export.",
        ),
    ] = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Print what is recognised in the files, and send nothing.")
    ] = False,
    strict: Strict = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Send the links of files to Kafka: exports of Ahrefs, Semrush, Majestic, Moz, Bing and DataForSEO, and your own.

    What wrote a file is told by its columns. A line that can't be taken goes to the dead-letter topic with its reason,
    and the others are taken. Importing the same file again changes nothing.
    """
    from flatline.cli import link_files

    # Tens of thousands of records wait for Kafka at any time: looking for garbage among them takes half of the time.
    gc.set_threshold(100_000)
    reading = link_files.reading(
        format_name=format_name,
        columns=columns or [],
        date_order=date_order,
        sites=sites or [],
        source=source,
        exported_on=exported_on,
        history_before=history_before,
    )
    if explain:
        link_files.explain(files, reading, as_json=json)
    else:
        link_files.send(files, reading, settings, as_json=json, is_strict=strict)
