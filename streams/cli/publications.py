"""`flatline publications`: which referring domains give links and visits, and what they get back."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatline.cli.grammar import noun
from flatline.cli.options import Articles, Json, Visits, with_settings
from flatline.clock import clock_from
from flatline.domain.impact.authority import Beneficiary, Exposure, Pair
from flatline.schema import codec
from flatline.schema.rejection import Reason, Rejected
from flatline.schema.topics import DAY_MS
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.domain.impact.ledger import Ledger
    from flatline.readmodel.records import Record
    from flatline_connectors.files.lines import Line

TABLE_ROWS: Final = 50
_LINES_BETWEEN_LOOKS: Final = 500


class FileRecord(NamedTuple):
    """A line of a file, with the attributes of a Kafka record that the ledger needs."""

    key: bytes | None
    value: bytes | None
    timestamp: int


AddRecord = Callable[["Ledger", "FileRecord | Record"], None]


app = noun("The referring domains: what they give, and what they get back.")


@app.command("list")
@with_settings()
def list_publications(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Link events as NDJSON; - is stdin.")
    ] = None,
    *,
    articles: Articles = None,
    visits: Visits = None,
    by: Annotated[Beneficiary, typer.Option(help="List pairs with authors, or with sites.")] = Beneficiary.AUTHOR,
    min_links: Annotated[int, typer.Option(min=1, help="Leave out pairs with fewer links.")] = 1,
    json: Json = False,
    settings: Settings,
) -> None:
    """List the publications that link to you, and what they get back.

    A publication is a referring domain. It gives links and visits. It gets links back; and its pages that link to an
    author may gain more links than its other pages. Without FILE all records are read from Kafka.
    """
    from flatline.domain.impact.authority import pairs
    from flatline.domain.impact.ledger import Ledger

    ledger, errors = Ledger(), Console(stderr=True, highlight=False)
    left_out = _read(ledger, files or [], articles or [], visits or [], settings=settings, errors=errors)
    if left_out:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in left_out.most_common())
        errors.print(f"Left out, because they can't be read: {reasons}.")
    if by is Beneficiary.AUTHOR and not ledger.authors:
        errors.print("No article has an author: register them (--articles FILE), or use --by site.")
    found = pairs(ledger, by, links_min=min_links)
    if json:
        for pair in found:
            sys.stdout.buffer.write(orjson.dumps(_row(pair, by), option=orjson.OPT_APPEND_NEWLINE))
    else:
        Console().print(_table(found, by))


def _read(
    ledger: Ledger,
    links: list[Path],
    articles: list[Path],
    visits: list[Path],
    *,
    settings: Settings,
    errors: Console,
) -> Counter[Reason]:
    """Fill the ledger, from Kafka if no file of links is given; return why records were left out."""
    from flatline.cli.progress import Display
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.records import records
    from flatline_connectors.files.lines import LineFile
    from flatline_connectors.sending.articles import TABLE as ARTICLES
    from flatline_connectors.sending.visits import TABLE as VISITS

    now_ms = clock_from(settings).now_ms()
    link_files, article_files, visit_files = (
        [LineFile(None if str(path) == "-" else path) for path in paths] for paths in (links, articles, visits)
    )
    sources: list[tuple[Iterable[FileRecord | Record], AddRecord]] = [
        *((_file_records(file, now_ms), _add_link) for file in link_files),
        *((_file_records(ARTICLES.as_ndjson(file), now_ms), _add_article) for file in article_files),
        *((_file_records(VISITS.as_ndjson(file), now_ms), _add_visits) for file in visit_files),
    ]
    if not links:
        topics = serving_topics(settings, Role.READ_MODEL)  # asks Kafka, which files do without
        if topics.links.retention_ms is not None:
            days = topics.links.retention_ms // DAY_MS
            errors.print(f"Kafka keeps link events for {days} days; older ones don't count. Name FILEs that have all.")
        stored = [(topics.links, _add_link)]
        stored += [] if articles else [(topics.articles, _add_article)]
        stored += [] if visits else [(topics.visits, _add_visits)]
        sources += [(records(settings.cluster, topic), add) for topic, add in stored]
    left_out: Counter[Reason] = Counter()
    display = Display([*link_files, *article_files, *visit_files] if links else [], errors)
    with display.running():
        everything = ((record, add) for source, add in sources for record in source)
        for number, (record, add) in enumerate(everything, start=1):
            try:
                add(ledger, record)
            except Rejected as rejected:
                left_out[rejected.reason] += 1
            if number % _LINES_BETWEEN_LOOKS == 0:
                display.show(number)
    return left_out


def _file_records(lines: Iterable[Line], now_ms: int) -> Iterator[FileRecord]:
    return (FileRecord(None, line.value, now_ms) for line in lines)


def _add_link(ledger: Ledger, record: FileRecord | Record) -> None:
    ledger.add_link(codec.links.decode(record.value), recorded_ms=record.timestamp)


def _add_article(ledger: Ledger, record: FileRecord | Record) -> None:
    if record.value is None and record.key is not None:
        ledger.unregister(record.key)
    else:
        ledger.register(codec.articles.decode(record.value))


def _add_visits(ledger: Ledger, record: FileRecord | Record) -> None:
    ledger.add_visits(codec.visits.decode(record.value))


def _row(pair: Pair, by: Beneficiary) -> dict[str, object]:
    return {
        "domain": pair.domain,
        by.value: pair.beneficiary,
        "links": pair.links,
        "live": pair.live,
        "articles": pair.articles,
        "visits": pair.visits,
        "links_back": pair.links_back,
        "linking_pages": _exposure(pair.linking),
        "other_pages": _exposure(pair.others),
        "lift": pair.lift,
    }


def _exposure(exposure: Exposure) -> dict[str, object]:
    return {
        "pages": exposure.pages,
        "page_days": round(exposure.exposed_ms / DAY_MS, 1),
        "gained": exposure.gained,
        "gained_a_page_and_year": exposure.gained_a_year,
    }


def _table(found: list[Pair], by: Beneficiary) -> Table:
    shown = found[:TABLE_ROWS]
    caption = f"{len(found):,} pairs"
    if len(shown) < len(found):
        caption = f"the first {len(shown)} of {caption}; --json has all of them"
    caption += (
        f".\nback: links from the {by} to the publication. "
        f"its pages: links per page and year, of those that link to the {by} / of the others; lift: their ratio."
    )
    table = Table(box=None, caption=caption, caption_justify="left")
    columns = {
        "links": [f"{pair.links:,}" for pair in shown],
        "live": [f"{pair.live:,}" for pair in shown],
        "articles": [f"{pair.articles:,}" for pair in shown],
        "visits": [f"{pair.visits:,}" if pair.visits else "" for pair in shown],
        "back": [f"{pair.links_back:,}" if pair.links_back else "" for pair in shown],
        "its pages": [f"{_rate(pair.linking)} / {_rate(pair.others)}" if pair.linking.pages else "" for pair in shown],
        "lift": ["" if pair.lift is None else f"{pair.lift:.2f}" for pair in shown],
    }
    columns = {heading: cells for heading, cells in columns.items() if any(cells)}
    for heading in ("publication", by.value):
        table.add_column(heading, overflow="fold", min_width=15)
    for heading in columns:
        table.add_column(heading, justify="right", no_wrap=True)
    for pair, *cells in zip(shown, *columns.values(), strict=True):
        table.add_row(Text(pair.domain), Text(pair.beneficiary), *cells)
    return table


def _rate(exposure: Exposure) -> str:
    rate = exposure.gained_a_year
    return "-" if rate is None else f"{rate:.1f}"
