"""The files of `flatline links import`: how they are to be read, what was recognised in them, and sending it."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import orjson
import typer

from flatline.cli.exit_codes import FAILED
from flatline.cli.importing import ImportRoute, import_all
from flatline.domain.urls.canonical import InvalidUrl
from flatline.schema import codec
from flatline.schema.rejection import Rejected
from flatline.settings import Settings
from flatline_connectors.errors import ConnectorError
from flatline_connectors.files.exports.dates import DateOrder, instant_of
from flatline_connectors.files.exports.event_lines import event_lines
from flatline_connectors.files.exports.formats.hand_kept import FIELDS
from flatline_connectors.files.exports.reading import HISTORY, Options, Recognised
from flatline_connectors.files.importer import say_finished
from flatline_connectors.files.lines import Line, LineFile, UnusableLine
from flatline_connectors.sending import links
from flatline_connectors.sending.producer import Producer
from flatline_connectors.sites import on_sites

_COLUMNS_SHOWN: Final = 12


@dataclass(frozen=True)
class Reading:
    """How all files of one command are read; times that depend on the file are None."""

    options: Options
    exported_at: datetime | None
    history_before: datetime | None

    def options_of(self, file: LineFile, path: Path) -> Options:
        """Return the options for one file: where nobody said when it was made, it was when it was last changed."""
        is_file = file.size_bytes is not None
        made_at = datetime.fromtimestamp(path.stat().st_mtime, UTC) if is_file else datetime.now(UTC)
        exported_at = self.exported_at or made_at
        return replace(
            self.options, exported_at=exported_at, history_before=self.history_before or exported_at - HISTORY
        )


def reading(
    *,
    format_name: str,
    columns: Sequence[str],
    date_order: DateOrder | None,
    sites: Sequence[str],
    source: str,
    exported_on: str,
    history_before: str,
    is_part: bool,
) -> Reading:
    """Return how to read files, from what somebody typed. Raise typer.BadParameter."""
    named = [column.partition("=") for column in columns]
    for field, equals, _ in named:
        if not equals or field not in FIELDS:
            raise typer.BadParameter(f"--map takes FIELD=COLUMN, FIELD being one of {', '.join(FIELDS)}.")
    if source:
        try:
            codec.links.decode(orjson.dumps({"url_from": "http://a", "url_to": "http://b", "source": source}))
        except Rejected as rejected:
            raise typer.BadParameter(f"--source {source}: {rejected.detail}") from None
    options = Options(
        exported_at=datetime.now(UTC),
        format=format_name or None,
        columns_by_field={field: column for field, _, column in named},
        date_order=date_order,
        source=source or None,
        is_ours=is_on(sites) if sites else None,
        is_part=is_part,
    )
    return Reading(options, _day("--exported-on", exported_on), _day("--history-before", history_before))


def _day(option: str, text: str) -> datetime | None:
    try:
        return instant_of(text)
    except ValueError:
        raise typer.BadParameter(f"{option} {text}: a date is written 2026-01-31.") from None


def is_on(sites: Sequence[str]) -> Callable[[str], bool]:
    """Return whether an address is on one of these hosts, or on a subdomain of one. Raise typer.BadParameter."""
    try:
        return on_sites(sites)
    except InvalidUrl as error:
        raise typer.BadParameter(f"--site takes a host, such as yours.example: {error}.") from None


def send(paths: Sequence[Path], how: Reading, settings: Settings, *, as_json: bool, is_strict: bool) -> None:
    """Send the links of files to Kafka, and say what was recognised unless it is NDJSON of ours."""
    found: list[Recognised] = []
    path_by_name = {"standard input" if str(path) == "-" else str(path): path for path in paths}

    def lines(file: LineFile) -> Iterator[Line | UnusableLine]:
        return event_lines(file, how.options_of(file, path_by_name[file.name]), found.append)

    def route(producer: Producer) -> ImportRoute[links.PreparedLink]:
        return ImportRoute(links.prepare, producer.send_link, as_lines=lines, at_end=lambda: say_finished(producer))

    def remarks() -> Iterator[str]:
        return (sentence for table in found if table.source for sentence in sentences(table))

    import_all(paths, route, settings, as_json=as_json, is_strict=is_strict, remarks=remarks)


def explain(paths: Sequence[Path], how: Reading, *, as_json: bool) -> None:
    """Print what is recognised in files, and how many events they hold; connect to nothing."""
    found: list[Recognised] = []
    events, rejected, refused = Counter[str](), list[str](), list[str]()
    for path in paths:
        file = LineFile(None if str(path) == "-" else path)
        try:
            for line in event_lines(file, how.options_of(file, path), found.append):
                try:
                    if isinstance(line, UnusableLine):
                        raise line.rejected
                    event = links.prepare(line.value).record
                    events[f"{event.change}, {event.discovery}"] += 1
                except Rejected as error:
                    rejected.append(f"{file.name}, line {line.number}: {error}")
        except ConnectorError as error:
            refused.append(error.whole)
    if as_json:
        tables = [{**vars(table), "skipped": dict(table.skipped)} for table in found]
        answer = {"tables": tables, "events": dict(events), "rejected": rejected, "refused": refused}
        sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))
    else:
        _print_explanation(found, events, rejected, refused)
    if refused:
        raise typer.Exit(FAILED)


def _print_explanation(
    found: Sequence[Recognised], events: Counter[str], rejected: Sequence[str], refused: Sequence[str]
) -> None:
    for table in found:
        sys.stdout.writelines(f"{sentence}\n" for sentence in sentences(table))
        if table.used:
            columns = ", ".join(table.used[:_COLUMNS_SHOWN])
            sys.stdout.write(f"  columns: {columns}{', …' if len(table.used) > _COLUMNS_SHOWN else ''}\n")
    for kind, count in sorted(events.items()):
        sys.stdout.write(f"  {count:,} events: {kind}\n")
    sys.stdout.writelines(f"  rejected: {text}\n" for text in rejected[:_COLUMNS_SHOWN])
    if len(rejected) > _COLUMNS_SHOWN:
        sys.stdout.write(f"  … and {len(rejected) - _COLUMNS_SHOWN:,} more rejected\n")
    sys.stdout.writelines(f"{text}\n" for text in refused)
    sys.stdout.write("Nothing was sent.\n")


def sentences(table: Recognised) -> Iterator[str]:
    """Yield what was recognised in a table and what became of its rows, for people."""
    if not table.source:
        yield f"{table.name}: link events ({table.shape})"
        return
    yield f"{table.name}: {table.format} ({table.tool}; {table.shape}), {table.rows:,} rows, {table.links:,} links"
    for why, count in table.skipped.most_common():
        yield f"  {count:,} rows skipped: {why}"
