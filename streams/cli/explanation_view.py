"""Prints an explanation in a terminal: the verdict first, then everything that it is based on."""

from collections.abc import Iterable
from math import ceil
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatline.cli.curve_plot import plot
from flatline.cli.terminal_text import plain, text
from flatline.cli.verdict_view import heading, show_links, show_verdict
from flatline.domain.explanation.explained import (
    ExplainedGroup,
    ExplainedImport,
    ExplainedInfluence,
    ExplainedLink,
    ExplainedSource,
    Explanation,
)
from flatline.domain.formatting import count, every, figured, percent
from flatline.domain.imports.counts import LINKS_MIN, PAGES_MIN
from flatline.domain.learned.expectation import WINDOWS_DAYS
from flatline.domain.policy.thresholds import Thresholds
from flatline.schema.lost_reason import LOST_REASON_PHRASES
from flatline.schema.verdict import Expected

_PLOT_WIDTH_MAX: Final = 100
_PLOT_HEIGHT: Final = 14
_BAR_MAX: Final = 12
_LOGIT_A_BLOCK: Final = 0.5
_ANCHOR_CHARACTERS: Final = 80
_CHANGES_SHOWN: Final = 8
_IMPORTS_SHOWN: Final = 3
_SHOWN_THRESHOLDS: Final = (
    "link_days_min",
    "cooling_score",
    "silent_score",
    "silent_gaps",
    "dormant_after_days",
    "worthy_quality",
    "shortfall_chance",
)


def show(found: Explanation, console: Console, *, is_live: bool) -> None:
    """Print an explanation. ``is_live``: it was read from Kafka, which may have deleted old events."""
    _verdict(found, console)
    _probability(found, console)
    _curve(found, console)
    heading(console, "Links")
    show_links(found.verdict, console)
    _imports(found.recognised_imports, console)
    _links(found.links, console, is_live=is_live)
    _sources(found, console)
    _groups(found.groups, console)
    _changes(found, console)
    _policy(found, console)


def _verdict(found: Explanation, console: Console) -> None:
    verdict, said = found.verdict, found.said
    show_verdict(verdict, console)
    if said is not None and said.state is not verdict.state:
        console.print(f"The worker's newest verdict is {said.state}, of {said.judged_at:%Y-%m-%d %H:%M} UTC.")


def _probability(found: Explanation, console: Console) -> None:
    policy, verdict, pace = found.policy, found.verdict, found.pace
    heading(console, f"Probability of no new link in the next {verdict.horizon_days} days")
    if found.probability is None:
        known = pace.link_days if pace else 0
        console.print(
            f"Not judged: new links came on {count(known, 'day')}; {policy.link_days_min} are needed. "
            "Imported links, and links on pages that were crawled for the first time, do not count as new."
        )
        return
    console.print(
        f"{percent(found.probability)}. Its silence score is {found.score:.2f}: an article is cooling from "
        f"{policy.cooling_score:.2f}, and silent from {policy.silent_score:.2f}{_but_not_before(found)}."
    )
    if found.pauses_until is not None:
        console.print(
            "The probability does not take into account that the article pauses every year: links are expected again "
            f"in {found.pauses_until:%B %Y}."
        )
    if pace is not None:
        console.print(
            f"It gained links on {count(pace.link_days, 'day')} from {pace.first_link_on} to {pace.last_link_on}. "
            f"Typical pace: {every(pace.usual_gap_days)}; longest gap ever: {count(pace.longest_gap_days, 'day')}."
        )
    if found.unseen_days >= 1:
        because = f", because {plain(found.unseen_because)}" if found.unseen_because else ""
        unseen_days = round(found.unseen_days)
        verb = "does" if unseen_days == 1 else "do"
        console.print(f"{count(unseen_days, 'day')} of its silence {verb} not count{because}.")
    console.print(_foreseen(found))
    typical = percent(found.typical_probability)
    console.print(
        f"For a typical article it is {typical} on the day of a link. What changes it here, largest effect first:"
    )
    table = _table()
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    for moved in found.moved_by:
        style = "red" if moved.logit > 0 else "green"
        table.add_row(text(moved.fact), Text(moved.speaks), Text(_bar(moved), style))
    console.print(table)


def _but_not_before(found: Explanation) -> str:
    """Return how long a pause must be, whatever its score; nothing where the policy asks for no length."""
    pace, gaps = found.pace, found.policy.silent_gaps
    shortest_days = ceil(gaps * pace.mean_gap_days) if pace else 0
    return f", but only after {count(shortest_days, 'day')} without a link" if shortest_days else ""


def _foreseen(found: Explanation) -> str:
    """Return a sentence on when the article becomes cooling and silent if no link comes."""
    today = found.verdict.judged_at.date()
    steps = [("silent", found.silent_from)]
    if found.cooling_from != found.silent_from:
        steps.insert(0, ("cooling", found.cooling_from))
    coming = [f"{name} on {day}" for name, day in steps if day is not None and day > today]
    if coming:
        return f"If no link comes, it becomes {' and '.join(coming)}."
    if found.silent_from is None:
        return "At its own pace, even ten years without a link would not make it silent."
    return f"By these figures alone it has been silent since {found.silent_from}."


def _bar(moved: ExplainedInfluence) -> str:
    blocks = min(round(abs(moved.logit) / _LOGIT_A_BLOCK), _BAR_MAX)
    return ("+" if moved.logit > 0 else "-") * blocks


def _curve(found: Explanation, console: Console) -> None:
    if len(found.curve) < 2 or found.curve[0].date == found.curve[-1].date:  # noqa: PLR2004 (no line has one point)
        return
    heading(console, "Links over time: gained (line) and expected (dots)")
    width = min(console.width, _PLOT_WIDTH_MAX)
    console.print(Text(plot(found.curve, width=width, height=_PLOT_HEIGHT)), no_wrap=True, crop=True)
    elsewhere = found.verdict.gained_total - found.curve[-1].gained
    if elsewhere:
        verb = "is" if elsewhere == 1 else "are"
        console.print(f"{count(elsewhere, 'link')} of unknown age (from imports and first crawls) {verb} left out.")
    learned = (
        f"the curve learned from {count(found.curve_links, 'link')} of articles like it"
        if found.curve_links
        else "the often quoted curve, two thirds of the links in 90 days"
    )
    if found.evergreen is not None:
        console.print(
            f"The expectation mixes {learned} ({1 - found.evergreen:.0%}) and a constant rate ({found.evergreen:.0%}), "
            "weighted by how well each explains the links. After the last link, the dots show what was still expected."
        )
    told = found.expectation
    if told is not None:
        console.print(_windows(told.last_7, told.last_28, told.last_90))


def _windows(*windows: Expected) -> Table:
    table = _table()
    table.add_column()
    for _ in WINDOWS_DAYS:
        table.add_column(justify="right")
    table.add_row("last days", *map(str, WINDOWS_DAYS))
    table.add_row("expected", *(f"{each.expected:,.1f}" for each in windows))
    table.add_row("gained", *(f"{each.gained:,}" for each in windows))
    table.add_row("chance of so few", *(f"{each.chance_of_so_few:.1%}" for each in windows))
    table.add_row("chance of so many", *(f"{each.chance_of_so_many:.1%}" for each in windows))
    return table


def _links(links: Iterable[ExplainedLink], console: Console, *, is_live: bool) -> None:
    links = list(links)
    if not links:
        return
    heading(console, f"The newest {len(links):,}, with their quality (0 to 1) and the reasons")
    table = _table()
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for each in links:
        table.add_row(str(each.gained_on), f"{each.quality:.2f}", _link(each))
    console.print(table)
    if is_live and any(each.url is None for each in links):
        console.print("Kafka no longer has the events of some of these links; only their figures are left.")


def _imports(imports: list[ExplainedImport], console: Console) -> None:
    for each in imports[:_IMPORTS_SHOWN]:
        links, source = count(each.links, "link"), plain(each.source)
        console.print(
            f"{links} came with an import that has no label: {source} reported at least {LINKS_MIN} links on at least "
            f"{PAGES_MIN} pages as gained at {each.occurred_at:%Y-%m-%d %H:%M:%S} UTC. They count, but not as new."
        )
    if further := imports[_IMPORTS_SHOWN:]:
        links, earlier = count(sum(each.links for each in further), "link"), count(len(further), "earlier import")
        console.print(f"{links} came with {earlier}, recognised in the same way.")


def _link(each: ExplainedLink) -> Text:
    lines = [text(each.url or "(the address of the page is no longer stored)", "" if each.url else "dim")]
    if each.anchor:
        lines[0].append(" ").append_text(text(f"“{each.anchor}”", "italic", _ANCHOR_CHARACTERS))
    lost = f"lost: {LOST_REASON_PHRASES[each.lost_reason]}" if each.lost_reason else "lost"
    marks = ["thin"] * each.is_thin + [lost] * (not each.is_live)
    kind = "recognised import" if each.is_recognised_import else "import or first crawl"
    marks += [f"{kind}: counts, but not as a new link"] * (not each.is_sign_of_life)
    marks += [plain(look) for look in each.new_looks]
    why = ", ".join(each.why) or "nothing is known for or against it"
    via = f" ({plain(each.source)})" if each.source else ""
    lines.append(Text(f"{''.join(f'{mark}; ' for mark in marks)}{why}{via}", "dim"))
    return Text("\n").join(lines)


def _sources(found: Explanation, console: Console) -> None:
    heading(console, "Sources")
    if not found.sources:
        console.print("None of its links names a source.")
        return
    table = _table()
    for _ in range(3):
        table.add_column(overflow="fold")
    for each in found.sources:
        last = each.last_reported_in_week_of
        weeks = f"{count(each.weeks_with_links, 'week')} with links, the last in the week of {last}"
        table.add_row(text(each.source), weeks, Text(_freshness(each), "red" if each.is_stale else ""))
    console.print(table)


def _freshness(source: ExplainedSource) -> str:
    if source.stale_for_days is None or source.stale_after_days is None:
        return "no heartbeats, and no known rhythm: assumed to be complete"
    age = f"complete until {_ago(source.stale_for_days)}"
    if source.is_stale:
        return f"STALE: {age}; stale after {_length(source.stale_after_days)}"
    return f"fresh: {age}" + (f"; {plain(source.because)}" if source.because else "")


def _ago(days: float) -> str:
    return "now" if days <= 0 else f"{_length(days)} ago"


def _length(days: float) -> str:
    return f"{days:,.0f} days" if days >= 2 else figured(days * 24, "hour")  # noqa: PLR2004 (below, hours tell more)


def _groups(groups: Iterable[ExplainedGroup], console: Console) -> None:
    heading(console, "Groups")
    table = _table()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for each in groups:
        said = "" if each.verdict is None else f"{each.verdict.state.replace('_', ' ')}. {each.verdict.reason}"
        table.add_row(each.kind, text(each.name), text(said, characters_max=1_000))
    console.print(table)


def _changes(found: Explanation, console: Console) -> None:
    if not found.changes:
        return
    heading(console, "How the verdict changed")
    earlier = len(found.changes) - _CHANGES_SHOWN
    if earlier > 0:
        console.print(f"{count(earlier, 'earlier change')} not shown.")
    table = _table()
    table.add_column(no_wrap=True)
    table.add_column()
    for change in found.changes[-_CHANGES_SHOWN:]:
        table.add_row(str(change.date), ", ".join(each.replace("_", " ") for each in change.said))
    console.print(table)


def _policy(found: Explanation, console: Console) -> None:
    heading(console, "Thresholds in force")
    default = Thresholds()
    changed = [name for name in Thresholds.__struct_fields__ if getattr(found.policy, name) != getattr(default, name)]
    names = [*_SHOWN_THRESHOLDS, *(name for name in changed if name not in _SHOWN_THRESHOLDS)]
    table = _table()
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for name in names:
        note = f"set by the policy file; default {getattr(default, name):g}" if name in changed else ""
        table.add_row(name, f"{getattr(found.policy, name):g}", note)
    console.print(table)
    console.print("`flatline policy show` explains each.", style="dim")


def _table() -> Table:
    return Table(box=None, show_header=False, pad_edge=False)
