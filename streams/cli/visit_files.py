"""The files of `flatline visits import`: how they are to be read, what was recognised in them, and sending it."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Final

import orjson
import typer

from flatline.cli.exit_codes import FAILED
from flatline.cli.importing import ImportRoute, import_all
from flatline.clock import clock_from
from flatline.domain.urls.canonical import InvalidUrl
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline.schema.visits_record import VisitsRecord
from flatline.settings import Settings
from flatline_connectors.errors import ConnectorError
from flatline_connectors.files.lines import Line, LineFile, UnusableLine
from flatline_connectors.files.visits.reading import FORMATS, OURS, Options, Recognised, VisitFiles
from flatline_connectors.files.visits.totals import Sites, site_of
from flatline_connectors.sending import visits
from flatline_connectors.sending.producer import Producer

_SHOWN: Final = 12
_WHEN_INTERRUPTED: Final = "Visits that are added up are sent last, and may be missing."


def options_of(
    *,
    format_name: str,
    sites: Sequence[str],
    parameters: Sequence[str],
    article: str,
    source: str,
    settings: Settings,
) -> Options:
    """Return how to read files, from what somebody typed. Raise typer.BadParameter."""
    if format_name and format_name not in FORMATS:
        raise typer.BadParameter(f"--format is one of {', '.join(FORMATS)}; all other formats are recognised.")
    try:
        hosts = tuple(site_of(site) for site in sites)
    except InvalidUrl as error:
        raise typer.BadParameter(f"--site takes a host, such as yours.example: {error}.") from None
    today = datetime.fromtimestamp(clock_from(settings).now_ms() / 1_000, UTC).date()
    _check_stated(article, source, today)
    return Options(
        today,
        sites=Sites(hosts, frozenset(parameters)),
        format=format_name or None,
        article=article or None,
        source=source or None,
    )


def _check_stated(article: str, source: str, today: date) -> None:
    stated = {"url": article or "https://a.example/", "day": today, "visits": 0, "domain": "b.example"}
    try:
        visits.prepare(orjson.dumps({**stated, "source": source} if source else stated))
    except Rejected as rejected:
        raise typer.BadParameter(f"--article or --source: {rejected.detail}") from None


def send(paths: Sequence[Path], options: Options, settings: Settings, *, as_json: bool, is_strict: bool) -> None:
    """Send the visits of files to Kafka, and say what was recognised unless it is records of ours."""
    reading, unread = VisitFiles(options), len(paths)

    def lines(file: LineFile) -> Iterator[Line | UnusableLine]:
        nonlocal unread
        yield from reading.read(file)
        unread -= 1
        if not unread:
            yield from (Line(number, record) for number, record in enumerate(reading.records(), start=1))

    def route(producer: Producer) -> ImportRoute[visits.PreparedVisits]:
        prepare = partial(visits.prepare, now_ms=producer.now_ms())
        return ImportRoute(prepare, producer.send_visits, as_lines=lines, when_interrupted=_WHEN_INTERRUPTED)

    def remarks() -> Iterator[str]:
        return (sentence for found in reading.recognised if found.format != OURS for sentence in _sentences(found))

    import_all(paths, route, settings, as_json=as_json, is_strict=is_strict, remarks=remarks)


def explain(paths: Sequence[Path], options: Options, *, as_json: bool) -> None:
    """Print what is recognised in files, and what their visits add up to; connect to nothing."""
    reading, rejected, refused = VisitFiles(options), list[str](), list[str]()
    records = 0
    for path in paths:
        file = LineFile(None if str(path) == "-" else path)
        try:
            for line in reading.read(file):
                try:
                    if isinstance(line, UnusableLine):
                        raise line.rejected
                    visits.prepare(line.value)
                    records += 1
                except Rejected as error:
                    rejected.append(f"{file.name}, line {line.number}: {error}")
        except ConnectorError as error:
            refused.append(error.whole)
    added_up = [codec.visits.decode(record) for record in reading.records()]
    records += len(added_up)
    if as_json:
        files = [{**vars(found), "skipped": dict(found.skipped)} for found in reading.recognised]
        answer = {"files": files, "records": records, "rejected": rejected, "refused": refused}
        sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
    else:
        _print_explanation(reading.recognised, added_up, records, rejected, refused)
    if refused:
        raise typer.Exit(FAILED)


def _print_explanation(
    recognised: Sequence[Recognised],
    added_up: Sequence[VisitsRecord],
    records: int,
    rejected: Sequence[str],
    refused: Sequence[str],
) -> None:
    for found in recognised:
        sys.stdout.writelines(f"{sentence}\n" for sentence in _sentences(found))
    for record in added_up[:_SHOWN]:
        sys.stdout.write(f"  {record.day}  {record.visits:>7,}  {record.domain} -> {record.url}\n")
    if len(added_up) > _SHOWN:
        sys.stdout.write(f"  … and {len(added_up) - _SHOWN:,} more\n")
    sys.stdout.write(f"{records:,} visits records\n")
    sys.stdout.writelines(f"  rejected: {text}\n" for text in rejected[:_SHOWN])
    if len(rejected) > _SHOWN:
        sys.stdout.write(f"  … and {len(rejected) - _SHOWN:,} more rejected\n")
    sys.stdout.writelines(f"{text}\n" for text in refused)
    sys.stdout.write("Nothing was sent.\n")


def _sentences(found: Recognised) -> Iterator[str]:
    """Yield what was recognised in a file and what became of its rows, for people."""
    if found.format == OURS:
        yield f"{found.name}: visits records"
        return
    yield f"{found.name}: {found.format}, {found.rows:,} rows, {found.visits:,} visits that links brought"
    for why, count in found.skipped.most_common():
        yield f"  {count:,} rows skipped: {why}"
    for remark in found.remarks:
        yield f"  {remark}"
