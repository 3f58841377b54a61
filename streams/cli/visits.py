"""`flatline visits`: import the visits that links bring, from logs and analytics tools."""

from pathlib import Path
from typing import Annotated

import typer

from flatline.cli.grammar import noun
from flatline.cli.options import FileFormat, Json, OwnSites, Source, Strict, with_settings
from flatline.settings import Settings

app = noun("Visits that links bring to your articles.")


@app.command("import")
@with_settings()
def import_files(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILE", help="Logs, exports, NDJSON or CSV; also .gz or .zst; - is stdin."),
    ],
    *,
    sites: OwnSites = None,
    format_name: FileFormat = "",
    parameters: Annotated[
        list[str] | None,
        typer.Option("--parameter", metavar="NAME", help="Query parameter that tells articles apart. Repeatable."),
    ] = None,
    article: Annotated[
        str, typer.Option("--article", metavar="URL", help="Article that an answer of Matomo is about.")
    ] = "",
    source: Source = "",
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how the files would be read, and import nothing.")
    ] = False,
    strict: Strict = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Import the visits of files.

    The files are access logs of nginx or Apache, logs of Cloudflare, exports of Plausible, Matomo, Umami or Google
    Analytics 4, or visits records as NDJSON or CSV (url, domain or url_from, day, visits, source). Visits are added up
    by article, referring domain and day over all files of the command. Lines that can't be read go to the dead-letter
    topic. Importing a file twice changes nothing; of several figures for the same day the largest counts.
    """
    from flatline.cli import visit_files

    options = visit_files.options_of(
        format_name=format_name,
        sites=sites or [],
        parameters=parameters or [],
        article=article,
        source=source,
        settings=settings,
    )
    if explain:
        visit_files.explain(files, options, as_json=json)
    else:
        visit_files.send(files, options, settings, as_json=json, is_strict=strict)
