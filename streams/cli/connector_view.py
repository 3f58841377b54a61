"""Shows connectors and what they found, for people and as JSON."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import orjson
import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.terminal_text import plain, text
from flatline.schema.connector_record import ConnectorPosition, ConnectorStatus
from flatline.schema.rejection import Rejected
from flatline_connectors.errors import ConnectorError
from flatline_connectors.runtime.budget import left, limits_of
from flatline_connectors.runtime.connector import UnreadableRecord
from flatline_connectors.runtime.outbox import Found, Sent
from flatline_connectors.runtime.section import Section


class UnknownConnector(ConnectorError):
    """No connector has this name."""

    remedy = "`flatline connect list` lists the connectors of connectors.toml."


class RunFailed(ConnectorError):
    """A run ended before everything was read. The message says why."""

    remedy = "Correct what is named, and run the same again: what is in Kafka counts once."


def print_connectors(
    sections: Sequence[Section], statuses: Mapping[str, ConnectorStatus], *, now_ms: int, as_json: bool
) -> None:
    """Print each connector with how its last run ended."""
    rows = [_row(section, statuses.get(section.name), now_ms=now_ms) for section in sections]
    if as_json:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
        return
    table = Table("connector", "kind", "last run", "ended", "next run", "seen until", "budget left", box=None)
    for row in rows:
        table.add_row(
            row["connector"],
            row["kind"],
            _time(row["ran_at"]),
            row["outcome"] or "",
            _time(row["next_run_at"]),
            _time(row["seen_until"]),
            ", ".join(f"{unit} {count:,} of {row['budget'][unit]:,}" for unit, count in row["budget_left"].items()),
        )
    Console().print(table)
    for row in rows:
        if row["detail"]:
            Console().print(text(f"{row['connector']}: {row['detail']}"))


def _row(section: Section, status: ConnectorStatus | None, *, now_ms: int) -> dict[str, Any]:
    known = status or ConnectorStatus(section.name, section.kind.name)
    budget = section.options.budget
    return {
        "connector": section.name,
        "kind": section.kind.name,
        "ran_at": known.ran_at,
        "outcome": known.outcome,
        "detail": known.detail,
        "failures": known.failures,
        "next_run_at": known.next_run_at,
        "seen_until": known.seen_until,
        "budget": limits_of(budget),
        "budget_left": left(budget, known, now_ms),
    }


def _time(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant:%Y-%m-%d %H:%M}"


def print_record(found: Found, rejected: Rejected | None) -> None:
    """Print one record as a JSON object in a line, with the reason if it would be a dead letter."""
    kind = "unreadable" if isinstance(found, UnreadableRecord) else found.type
    answer: dict[str, Any] = {"type": kind, "origin": dict(found.origin)}
    if rejected is None:
        answer["record"] = orjson.Fragment(found.value)
    else:
        value = found.value.decode(errors="replace")
        answer |= {"reason": rejected.reason, "detail": rejected.detail, "value": value}
    sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE))


def sent_summary(sent: Sent, *, is_dry: bool) -> str:
    """Return what was found, in a sentence."""
    counts = [f"{count:,} {kind}" for kind, count in sorted(sent.accepted.items())]
    rejected = sum(sent.rejected.values())
    found = ", ".join([*counts, *([f"{rejected:,} that can't be read"] if rejected else [])]) or "nothing"
    return f"Found: {found}. Nothing was sent." if is_dry else f"Sent: {found}."


def check_summary(section: Section, sent: Sent) -> Iterator[str]:
    """Yield what a check found."""
    yield f"The first page: {sent_summary(sent, is_dry=True)}"
    for unit, limit in limits_of(section.options.budget).items():
        yield f"The budget is {limit:,} {unit} per {section.options.budget.per}."


def print_state(name: str, position: ConnectorPosition | None, status: ConnectorStatus | None) -> None:
    """Print both as one JSON object. Raise `UnknownConnector` where nothing is saved."""
    if position is None and status is None:
        raise UnknownConnector(f"Nothing is saved of a connector {plain(name)!r}.")
    typer.echo(msgspec.json.format(msgspec.json.encode({"position": position, "status": status})).decode())
