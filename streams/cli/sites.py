"""`flatline sites`: records of sites, and where sites, sections and single articles have moved."""

import re
import sys
from typing import TYPE_CHECKING, Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.grammar import noun
from flatline.cli.options import Json, Yes, with_settings
from flatline.cli.site_records import add_site, import_sites, list_sites, remove_site, show_site
from flatline.clock import clock_from
from flatline.schema.rejection import Rejected
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.domain.state.moves import Moves, Rule
    from flatline.schema.verdict import Verdict

app = noun("Your sites and your peers', and where sites, sections and articles have moved.")
app.command("list")(list_sites)
app.command("show")(show_site)
app.command("add")(add_site)
app.command("import")(import_sites)
app.command("remove")(remove_site)

_HOST: Final = re.compile(r"(https?://)?[^/\s]+/?")
_SHOWN_MAX: Final = 10
_Old = Annotated[
    str,
    typer.Argument(metavar="OLD", help="old.example/* or old.example (all of it), old.example/blog/*, or one address."),
]
_New = Annotated[str, typer.Argument(metavar="NEW", help="The new address, of the same form.")]


@app.command()
@with_settings()
def move(old: _Old, new: _New, *, yes: Yes = False, settings: Settings) -> None:
    """Record the new address of a site, a section or an article.

    Links to the old addresses, past and future, count for the new ones. `flatline sites undo` reverts a move.
    """
    _decide(old, new, is_undone=False, yes=yes, settings=settings)


@app.command()
@with_settings()
def undo(old: _Old, new: _New, *, yes: Yes = False, settings: Settings) -> None:
    """Revert a move.

    The old addresses are separate articles again, with all links that were reported for them.
    """
    _decide(old, new, is_undone=True, yes=yes, settings=settings)


@app.command()
@with_settings()
def moves(
    *,
    aliases: Annotated[bool, typer.Option("--aliases", help="Also list aliases of article records.")] = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """List the moves, newest first."""
    from flatline.domain.state.moves import move_of
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.latest_moves import latest_moves

    topics = serving_topics(settings, Role.READ_MODEL)
    known = [rule for rule in latest_moves(settings.cluster, topics) if aliases or not rule.is_alias]
    known.sort(key=lambda rule: -rule.decided_ms)
    records = [move_of(rule) for rule in known]
    if json:
        options = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
        for record in records:
            fields = {name: getattr(record, name) for name in ("old", "new", "decided_at", "is_alias", "is_undone")}
            sys.stdout.buffer.write(orjson.dumps(fields, option=options))
        return
    table = Table("decided", "old", "new", "", box=None)
    for record in records:
        note = "undone" if record.is_undone else "alias" if record.is_alias else ""
        table.add_row(f"{record.decided_at:%Y-%m-%d %H:%M}", record.old, record.new, note)
    Console().print(table)


def _decide(old: str, new: str, *, is_undone: bool, yes: bool, settings: Settings) -> None:
    from flatline.domain.state.moves import Moves, rule_of
    from flatline.domain.time import to_datetime
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.latest_moves import latest_moves
    from flatline.readmodel.latest_verdicts import latest_verdicts
    from flatline.schema.move import Move
    from flatline_connectors.sending.producer import Producer

    roles = (Role.READ_MODEL, Role.CONNECTORS) if yes else (Role.READ_MODEL,)
    topics, clock = serving_topics(settings, *roles), clock_from(settings)
    try:
        rule = rule_of(Move(_whole(old), _whole(new), to_datetime(clock.now_ms()), is_undone=is_undone))
    except Rejected as rejected:
        raise typer.BadParameter(rejected.detail) from None
    known = latest_moves(settings.cluster, topics)
    former = next((each for each in known if (each.old, each.new, each.is_alias) == (rule.old, rule.new, False)), None)
    if is_undone and (former is None or former.is_undone):
        raise typer.BadParameter(f"{rule.old} was not moved to {rule.new}: `flatline sites moves` lists the moves")
    if former is not None:  # even if that was decided by a clock that was ahead
        rule = rule._replace(decided_ms=max(rule.decided_ms, former.decided_ms + 1))
    verdicts = latest_verdicts(settings.cluster, topics.verdicts)
    if is_undone:
        _show_undo(rule, verdicts)
    else:
        _show_move(known, Moves([*known, rule]), verdicts)
    if not yes:
        typer.echo("Nothing was changed. Add --yes to do it.")
        return
    with Producer(settings.cluster, topics, now_ms=clock.now_ms) as producer:
        producer.send_move(rule)
    typer.echo(
        f"{rule.old} {'is not moved to' if is_undone else 'is moved to'} {rule.new}. Workers follow within seconds."
    )


def _whole(text: str) -> str:
    """Return the address that a host alone stands for: everything on it."""
    return text.rstrip("/") + "/*" if _HOST.fullmatch(text) else text


def _show_move(known: "Moves", then: "Moves", verdicts: "list[Verdict]") -> None:
    at = {verdict.article: verdict for verdict in verdicts}
    moved = [
        (verdict, new)
        for verdict in verdicts
        if (new := then.current(verdict.article.encode()).decode()) != known.current(verdict.article.encode()).decode()
    ]
    table = Table("article", "gained", "moves to", box=None)
    table.columns[0].overflow = table.columns[2].overflow = "fold"
    for verdict, new in moved[:_SHOWN_MAX]:
        joined = f" (with {at[new].gained_total:,} links of its own)" if new in at else ""
        table.add_row(verdict.article, f"{verdict.gained_total:,}", new + joined)
    Console().print(table)
    if len(moved) > _SHOWN_MAX:
        typer.echo(f"… and {len(moved) - _SHOWN_MAX:,} more")
    links = sum(verdict.gained_total for verdict, _ in moved)
    typer.echo(f"{len(moved):,} known articles with {links:,} links move.")


def _show_undo(rule: "Rule", verdicts: "list[Verdict]") -> None:
    there = [verdict for verdict in verdicts if rule.new.covers(verdict.article)]
    links = sum(verdict.gained_total for verdict in there)
    typer.echo(
        f"{len(there):,} articles at {rule.new} have {links:,} links. Those reported for {rule.old} return to it."
    )
