"""`flatline groups` and `flatline cohorts`."""

import sys
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Annotated, Final

import msgspec
import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.domain.expected.curve import BINS, EDGES_DAYS, PRIOR, PRIOR_LINKS, Curve, learned
from streams.domain.groups.census import Census, Whole
from streams.domain.groups.survey import Group
from streams.schema.group import GroupKind, GroupState, GroupVerdict
from streams.schema.topics import Topics
from streams.settings import load_settings

_STYLES: Final = {GroupState.UNDER_CURVE: "bold red", GroupState.ABOVE_CURVE: "green", GroupState.NEW: "dim"}
_ORDER: Final = {GroupState.UNDER_CURVE: 0, GroupState.ABOVE_CURVE: 1, GroupState.ON_CURVE: 2, GroupState.NEW: 3}
_AGES_SHOWN_DAYS: Final = (7, 28, 90, 180, 365, 730, 1460)
_COHORT_KINDS: Final = (GroupKind.SITE, GroupKind.STRATEGY, GroupKind.MONTH)

Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def groups(
    kind: Annotated[list[GroupKind] | None, typer.Option(help="Only groups of this kind; can be repeated.")] = None,
    json: Json = False,
) -> None:
    """List series, authors, strategies and sites: the links they gained, and those they should have gained."""
    from streams.readmodel.latest_groups import latest_groups

    settings = load_settings()
    topics = Topics(namespace=settings.namespace, partitions=settings.partitions)
    verdicts = sorted(
        (each for each in latest_groups(settings.kafka_bootstrap, topics) if not kind or each.kind in kind),
        key=lambda each: (_ORDER[each.state], -each.last_90.expected, each.kind, each.name),
    )
    if json:
        for verdict in verdicts:
            sys.stdout.buffer.write(msgspec.json.encode(verdict) + b"\n")
    else:
        Console().print(_groups_table(verdicts))


def cohorts(
    kind: Annotated[list[GroupKind] | None, typer.Option(help="Only cohorts of this kind; can be repeated.")] = None,
    json: Json = False,
) -> None:
    """Show the curves of sites, strategies and months of publication side by side: share of links by age."""
    from streams.readmodel.latest_groups import latest_census

    settings = load_settings()
    topics = Topics(namespace=settings.namespace, partitions=settings.partitions)
    rows = list(_cohorts(latest_census(settings.kafka_bootstrap, topics), kind or _COHORT_KINDS))
    if json:
        for row in rows:
            sys.stdout.buffer.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
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


def _cohorts(census: Census, kinds: Iterable[GroupKind]) -> Iterable[dict[str, object]]:
    yield _cohort("quoted", "66 % in 90 days", 0, dict.fromkeys(range(BINS), True), PRIOR)
    everything = _all_articles(census)
    whole_curve = learned(*everything)
    for group, whole in sorted(census.wholes.items(), key=lambda item: (_cohort_order(item[0]), item[0].name)):
        if group.kind in kinds:
            sums = whole.sums
            known = {number: links >= PRIOR_LINKS / 10 for number, links in enumerate(sums.by_end)}
            curve = learned(sums.within, sums.by_end, prior=whole_curve)
            yield _cohort(group.kind, group.name, sums.articles, known, curve)


def _all_articles(census: Census) -> tuple[list[float], list[float]]:
    """Return what all sites add up to: each article has one."""
    sites = [whole for group, whole in census.wholes.items() if group.kind is GroupKind.SITE]
    return _summed(sites, "within"), _summed(sites, "by_end")


def _summed(wholes: list[Whole], name: str) -> list[float]:
    return [sum(getattr(whole.sums, name)[number] for whole in wholes) for number in range(BINS)]


def _cohort_order(group: Group) -> int:
    return _COHORT_KINDS.index(group.kind) if group.kind in _COHORT_KINDS else len(_COHORT_KINDS)


def _cohort(kind: str, name: str, articles: int, known: Mapping[int, bool], curve: Curve) -> dict[str, object]:
    """Return a row; the share is null at ages that too few of the cohort's links have passed."""
    passed = {right: known[number] for number, (_, right) in enumerate(pairwise(EDGES_DAYS))}
    return {
        "kind": kind,
        "name": name,
        "articles": articles,
        "links": curve.links,
        "share_by_days": {str(age): round(curve.share(age), 3) if passed[age] else None for age in _AGES_SHOWN_DAYS},
    }


def _cohorts_table(rows: list[dict[str, object]]) -> Table:
    table = Table(box=None, caption="Share of all links after the first day, by age", caption_justify="left")
    table.add_column("kind", no_wrap=True)
    table.add_column("cohort", overflow="fold")
    for heading in ("articles", "links", *(f"{age:,} d" for age in _AGES_SHOWN_DAYS)):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        shares = row["share_by_days"]
        assert isinstance(shares, dict)
        table.add_row(
            str(row["kind"]),
            Text(str(row["name"])),
            f"{row['articles']:,}",
            f"{row['links']:,}",
            *("·" if share is None else f"{share:.0%}" for share in shares.values()),
        )
    return table
