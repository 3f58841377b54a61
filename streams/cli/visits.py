"""`flatline visits`: import the visits that links bring, as analytics tools count them."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from flatline.cli.grammar import noun
from flatline.cli.options import Json, Strict, with_settings
from flatline.settings import Settings

app = noun("Visits that links bring to your articles.")


@app.command("import")
@with_settings()
def import_file(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="NDJSON, or CSV with a header; also .gz or .zst; - is stdin.")
    ],
    *,
    strict: Strict = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Import the visits of a file.

    A line has the visits of one UTC day from one referring domain to one article. NDJSON has one visits record per
    line. CSV has these columns in any order: url, domain (or url_from), day, visits, source. Lines that can't be read
    go to the dead-letter topic with the reason. Importing a file twice changes nothing; of several figures for the same
    day the largest counts.
    """
    from flatline.cli.importing import ImportRoute, import_all
    from flatline_connectors.sending import visits
    from flatline_connectors.sending.producer import Producer

    def route(producer: Producer) -> ImportRoute[visits.PreparedVisits]:
        prepare = partial(visits.prepare, now_ms=producer.now_ms())
        return ImportRoute(prepare, producer.send_visits, as_lines=visits.TABLE.as_ndjson)

    import_all([file], route, settings, as_json=json, is_strict=strict)
