"""`flatline links`: import links from files."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from flatline.cli.grammar import noun
from flatline.cli.options import FileFormat, Json, OwnSites, Source, Strict, with_settings
from flatline.settings import Settings
from flatline_connectors.files.exports.dates import DateOrder

app = noun("Links to your articles.")


@app.command("import")
@with_settings()
def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Exports, sheets or NDJSON, also .gz, .zst, .zip and .xlsx; - is stdin."),
    ],
    *,
    format_name: FileFormat = "",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="FIELD=COLUMN", help="Column of a sheet to read a field from: url_from=COLUMN. Repeatable."
        ),
    ] = None,
    date_order: Annotated[
        DateOrder | None, typer.Option("--date-order", help="How to read 03/04/2026 if the file does not show it.")
    ] = None,
    sites: OwnSites = None,
    source: Source = "",
    exported_on: Annotated[
        str,
        typer.Option(
            "--exported-on", metavar="DATE", help="When the export was made; by default the time of the file."
        ),
    ] = "",
    history_before: Annotated[
        str,
        typer.Option(
            "--history-before",
            metavar="DATE",
            help="Links first seen before this day are history; by default 14 days before the export.",
        ),
    ] = "",
    part: Annotated[
        bool,
        typer.Option(
            "--part",
            help="An export is a sample, or was cut at the tool's limit: the counts of its articles are minimums.",
        ),
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how the files would be read, and import nothing.")
    ] = False,
    strict: Strict = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Import the links of files.

    The files are exports of Ahrefs, Semrush, Majestic, Moz, Bing and DataForSEO, sheets of your own, or link events as
    NDJSON. The columns show which tool wrote a file. Lines that can't be read go to the dead-letter topic with the
    reason; all others are imported. Importing a file twice changes nothing.
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
        is_part=part,
    )
    if explain:
        link_files.explain(files, reading, as_json=json)
    else:
        link_files.send(files, reading, settings, as_json=json, is_strict=strict)
