"""`flatline visits`: what analytics knows of the visits that links bring."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Say which referring domains send visits to your articles.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `import` a command of its own while there is no other."""


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="NDJSON, or CSV with a header; also .gz or .zst; - is stdin.")],
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 4 if a line was rejected.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The summary as one JSON object.")] = False,
) -> None:
    """Take the visits of a file: a line is all visits of one UTC day from one referring domain to one article.

    NDJSON has one visits record a line. CSV has its columns in any order: url, domain (or url_from), day, visits,
    source. A line that can't be taken goes to the dead-letter topic with its reason. Importing again changes nothing;
    of several figures for the same day the largest counts.
    """
    from flatline.cli.importing import Way, import_all
    from flatline_connectors.sending import visits
    from flatline_connectors.sending.producer import Producer

    def way(producer: Producer) -> Way[visits.PreparedVisits]:
        prepare = partial(visits.prepare, now_ms=producer.now_ms())
        return Way(prepare, producer.send_visits, as_lines=visits.TABLE.as_ndjson)

    import_all([file], way, as_json=json, is_strict=strict)
