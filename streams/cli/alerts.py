"""`flatline alerts`: what alerted, and what people say of it."""

import sys
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.grammar import noun
from flatline.cli.options import Json, with_settings
from flatline.cli.terminal_text import plain, text
from flatline.schema.alert_mark import AlertKind, ExpectedBecause, Mark
from flatline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flatline.api.client import ApiClient
    from flatline.readmodel.queries.views import AlertRow

app = noun("What alerted, and what people say of it.")

_ROWS_MAX: Final = 200
_ID_SHOWN: Final = 8
_STYLES: Final = {Mark.RIGHT: "green", Mark.EXPECTED: "dim", Mark.WRONG: "red"}


@app.command("list")
@with_settings()
def list_alerts(
    *,
    kind: Annotated[list[AlertKind] | None, typer.Option(help="Only this kind. Repeatable.")] = None,
    unmarked: Annotated[bool, typer.Option("--unmarked", help="Only alerts that nobody has marked.")] = False,
    ongoing: Annotated[bool, typer.Option("--open", help="Only alerts that still hold.")] = False,
    limit: Annotated[int, typer.Option(help="At most so many, the newest.", min=1)] = _ROWS_MAX,
    json: Json = False,
    settings: Settings,
) -> None:
    """List alerts, the newest first, with what people say of them. Needs a running `flatline serve`."""
    from itertools import islice

    from flatline.readmodel.queries.views import AlertRow

    query = {
        "kind": [each.value for each in kind or []] or None,
        "mark": "none" if unmarked else None,
        "open": "true" if ongoing else None,
        "limit": min(limit, _ROWS_MAX),
    }
    rows = list(islice(_client(settings).rows("/alerts", AlertRow, query), limit))
    if json:
        for row in rows:
            sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
    else:
        Console().print(_table(rows))


@app.command()
@with_settings()
def mark(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Its id, or how the id begins, as the list shows it.")],
    said: Annotated[Mark, typer.Argument(metavar="MARK", help="right, expected, wrong, or withdrawn.")],
    *,
    because: Annotated[
        ExpectedBecause | None, typer.Option(help="With expected: why. A retired article is not judged any more.")
    ] = None,
    who: Annotated[str | None, typer.Option(help="Who says so; else the name of the token.")] = None,
    note: Annotated[str | None, typer.Option(help="A note for others.")] = None,
    settings: Settings,
) -> None:
    """Say of an alert whether it was right. The last mark of an alert counts. Needs a running `flatline serve`."""
    from flatline.api.client import segment
    from flatline.api.writing import MarkRequest, MarkSaid

    if (because is not None) != (said is Mark.EXPECTED):
        raise typer.BadParameter("--because is needed with expected, and with no other mark.")
    client = _client(settings)
    number = _id_of(client, alert)
    answered = client.post(f"/alerts/{segment(number)}/mark", MarkSaid, MarkRequest(said, because, who, note))
    typer.echo(f"{plain(answered.subject)}: {answered.mark.value}{f', {because.value}' if because else ''}.")


@app.command()
@with_settings()
def snooze(
    alert: Annotated[str, typer.Argument(metavar="ALERT", help="Its id, or how the id begins, as the list shows it.")],
    *,
    days: Annotated[float, typer.Option(help="For so many days.", min=0.01, max=366)] = 14,
    why: Annotated[str, typer.Option(help="The reason, for others.")],
    who: Annotated[str | None, typer.Option(help="Who says so; else the name of the token.")] = None,
    settings: Settings,
) -> None:
    """Silence an alert in Alertmanager for some days. Needs a running `flatline serve`."""
    from datetime import UTC, datetime, timedelta

    from flatline.api.client import segment
    from flatline.api.snoozing import AlertSnoozeRequest, SnoozeSaid

    client = _client(settings)
    number = _id_of(client, alert)
    until = datetime.now(UTC) + timedelta(days=days)
    asked = AlertSnoozeRequest(until, why, who)
    said = client.post(f"/alerts/{segment(number)}/snooze", SnoozeSaid, asked)
    typer.echo(f"{_matchers(said.labels)}: silent until {said.until:%Y-%m-%d %H:%M} UTC. Its id is {said.id}.")


@app.command()
@with_settings()
def snoozes(*, json: Json = False, settings: Settings) -> None:
    """List the alerts that are snoozed, with the reason. Needs a running `flatline serve`."""
    from datetime import UTC, datetime

    from flatline.readmodel.queries.snoozes import SnoozeRow

    rows = [
        row
        for row in _client(settings).rows("/snoozes", SnoozeRow, {})
        if not row.is_ended and row.until > datetime.now(UTC)
    ]
    if json:
        for row in rows:
            sys.stdout.buffer.write(msgspec.json.encode(row) + b"\n")
        return
    table = Table("id", "until", "by", "alerts", "why", box=None)
    for row in rows:
        until = f"{row.until:%Y-%m-%d %H:%M}"
        table.add_row(row.id[:_ID_SHOWN], until, text(row.by), text(_matchers(row.labels)), text(row.why))
    Console().print(table)


@app.command()
@with_settings()
def wake(
    number: Annotated[str, typer.Argument(metavar="SNOOZE", help="Its id, or how it begins, as `snoozes` shows it.")],
    *,
    settings: Settings,
) -> None:
    """End a snooze before its time. Needs a running `flatline serve`."""
    from flatline.api.client import segment
    from flatline.api.snoozing import SnoozeSaid
    from flatline.readmodel.queries.snoozes import SnoozeRow

    client = _client(settings)
    found = [row.id for row in client.rows("/snoozes", SnoozeRow, {}) if row.id.startswith(number)]
    said = client.delete(f"/snoozes/{segment(_one_of(found, number, 'snooze'))}", SnoozeSaid)
    typer.echo(f"{_matchers(said.labels)}: not snoozed any more.")


def _matchers(labels: dict[str, str]) -> str:
    return plain(", ".join(f"{name}={value}" for name, value in sorted(labels.items())))


def _client(settings: Settings) -> "ApiClient":
    from flatline.api.client import ApiClient

    return ApiClient(settings.page_url, token_file=settings.api_token_file)


def _id_of(client: "ApiClient", beginning: str) -> str:
    """Return the id that begins so. Raises a usage error unless there is one alone."""
    from flatline.readmodel.queries.views import AlertRow

    found = [row.id for row in client.rows("/alerts", AlertRow, {"id": beginning, "limit": 2})]
    return _one_of(found, beginning, "alert")


def _one_of(found: "Sequence[str]", beginning: str, what: str) -> str:
    if len(found) == 1:
        return found[0]
    why = f"No {what} has an id that begins so" if not found else f"Several {what}s have ids that begin so"
    shown_by = "`flatline alerts list`" if what == "alert" else "`flatline alerts snoozes`"
    raise typer.BadParameter(f"{plain(beginning)}: {why}. {shown_by} shows them.")


def _table(rows: "Sequence[AlertRow]") -> Table:
    table = Table(box=None, caption=f"{len(rows):,} alerts", caption_justify="left")
    for heading in ("id", "alerted", "ended", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("about", overflow="fold")
    table.add_column("mark", no_wrap=True)
    table.add_column("by", overflow="fold")
    for row in rows:
        mark = "" if row.mark is None else f"{row.mark.value}{f' ({row.because.value})' if row.because else ''}"
        table.add_row(
            row.id[:_ID_SHOWN],
            f"{row.alerted_at:%Y-%m-%d}",
            "" if row.ended_at is None else f"{row.ended_at:%Y-%m-%d}",
            row.kind.value.replace("_", " "),
            text(row.title or row.subject.removeprefix("https://")),
            text(mark, "" if row.mark is None else _STYLES.get(row.mark, "")),
            text(row.marked_by or ""),
        )
    return table
