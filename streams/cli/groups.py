"""`flatline groups` and `flatline cohorts`: articles as groups."""

import sys
from typing import Annotated, Final

import msgspec
import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatline.cli.grammar import noun
from flatline.cli.options import Json, with_settings
from flatline.domain.groups.cohorts import AGES_DAYS, KINDS, QUOTED, Cohort, Cohorts
from flatline.schema.group import GroupKind, GroupState, GroupVerdict
from flatline.settings import Settings

_STYLES: Final = {GroupState.UNDER_CURVE: "bold red", GroupState.ABOVE_CURVE: "green", GroupState.NEW: "dim"}
_ORDER: Final = {GroupState.UNDER_CURVE: 0, GroupState.ABOVE_CURVE: 1, GroupState.ON_CURVE: 2, GroupState.NEW: 3}

app = noun("Series, authors, strategies and sites, judged as a whole.")
cohorts_app = noun("How fast links arrive, by site, strategy and month of publication.")


@app.command("list")
@with_settings()
def list_groups(
    kind: Annotated[list[GroupKind] | None, typer.Option(help="Only this kind. Repeatable.")] = None,
    *,
    json: Json = False,
    settings: Settings,
) -> None:
    """List groups, with the links that they gained and should have gained."""
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.latest_groups import latest_groups

    topics = serving_topics(settings, Role.READ_MODEL)
    verdicts = sorted(
        (each for each in latest_groups(settings.cluster, topics) if not kind or each.kind in kind),
        key=lambda each: (_ORDER[each.state], -each.last_90.expected, each.kind, each.name),
    )
    if json:
        for verdict in verdicts:
            sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
    else:
        Console().print(_groups_table(verdicts))


@cohorts_app.command("list")
@with_settings()
def list_cohorts(
    kind: Annotated[list[GroupKind] | None, typer.Option(help="Only this kind. Repeatable.")] = None,
    *,
    json: Json = False,
    settings: Settings,
) -> None:
    """List cohorts: the share of links gained by each age.

    A cohort is a site, a strategy or a month of publication. The first row is the often quoted curve.
    """
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role
    from flatline.readmodel.latest_groups import latest_group_totals

    topics = serving_topics(settings, Role.READ_MODEL)
    rows = [QUOTED, *Cohorts(latest_group_totals(settings.cluster, topics)).of_kinds(kind or KINDS)]
    if json:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(_row(row), option=orjson.OPT_APPEND_NEWLINE))
    else:
        Console().print(_cohorts_table(rows))


def _groups_table(verdicts: list[GroupVerdict]) -> Table:
    table = Table(box=None, caption=f"{len(verdicts):,} groups", caption_justify="left")
    for heading in ("state", "since", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("group", overflow="fold")
    for heading in ("articles", "7 days", "28 days", "90 days"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("reason", overflow="fold")
    for verdict in verdicts:
        table.add_row(
            Text(verdict.state, _STYLES.get(verdict.state, "")),
            f"{verdict.since:%Y-%m-%d}",
            verdict.kind,
            Text(verdict.name),
            f"{verdict.articles:,}",
            *(
                f"{tally.gained:,} of {tally.expected:,.0f}"
                for tally in (verdict.last_7, verdict.last_28, verdict.last_90)
            ),
            Text(verdict.reason),
        )
    return table


def _row(cohort: Cohort) -> dict[str, object]:
    return cohort._asdict() | {"share_by_days": {str(age): share for age, share in cohort.share_by_days.items()}}


def _cohorts_table(rows: list[Cohort]) -> Table:
    table = Table(box=None, caption="Share of all links after the first day, by age", caption_justify="left")
    table.add_column("kind", no_wrap=True)
    table.add_column("cohort", overflow="fold")
    for heading in ("articles", "links", *(f"{age:,} d" for age in AGES_DAYS)):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.kind,
            Text(row.name),
            f"{row.articles:,}",
            f"{row.links:,}",
            *("·" if share is None else f"{share:.0%}" for share in row.share_by_days.values()),
        )
    return table
