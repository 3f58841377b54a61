"""Prints the results of a backtest as tables."""

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatline.backtest.replay import Ending
from flatline.backtest.report import AlertRow, Backtest, BacktestReport, GroupAlertRow, SourceAlertRow

_STYLES: Final = {Ending.RIGHT: "green", Ending.WRONG: "red", Ending.OPEN: "dim"}
_DETAIL_CHARACTERS: Final = 200
SOURCES_LISTED: Final = 10
GROUPS_LISTED: Final = 10


def show(found: Backtest, console: Console, *, alerts_listed: int) -> None:
    """Print what was read, the alerts, the comparison with a fixed gap, and the calibration."""
    report = found.report
    console.print(f"{report.lines:,} events of {report.articles:,} articles, until {report.end}.")
    for reason, count in found.histories.rejected.most_common():
        file, number, detail = found.histories.rejected.examples[reason]
        first = f"the first in {file}, line {number}: {detail[:_DETAIL_CHARACTERS]}"
        console.print(f"  {count:,} {reason}; {first}", markup=False, soft_wrap=True)
    if report.undated:
        console.print(f"  {report.undated:,} have no date of their own and are left out.")
    if report.ignored:
        console.print(f"  The policy ignores {report.ignored:,}.")
    if report.suspected:
        console.print(f"  {report.suspected:,} only suspect that a link is gone, and change nothing.")
    console.print("\nAlerts under this policy:")
    console.print(_alert_counts(report))
    if report.source_alerts:
        console.print("\nSources that went quiet; their articles were not reported meanwhile:")
        console.print(_sources(report.source_alerts[-SOURCES_LISTED:]))
    if report.group_alerts:
        console.print(f"\nGroups that gained fewer links than expected, the latest of {report.group_alert_count:,}:")
        console.print(_groups(report.group_alerts[-GROUPS_LISTED:]))
    listed = report.alerts[-alerts_listed:] if alerts_listed else []
    if listed:
        console.print(f"\nThe latest {len(listed):,} of {len(report.alerts):,} alerts:")
        console.print(_alerts(listed))
    console.print(
        f"\nA threshold on the silence score, next to a fixed gap, over {report.cases:,} silences of active articles:"
    )
    console.print(_comparison(report))
    horizon = f"right: no link came in the {report.horizon_days} days after the alert."
    console.print(f"{horizon} delay: days from the last link to a right alert.")
    if report.brier is not None:
        console.print(
            "\nCalibration: the predicted probability / how often no link came (pauses), by day of the pause and "
            "link days in the year before it:"
        )
        console.print(_calibration(report))
        console.print(
            f"Brier score {report.brier:.3f} (always predicting the base rate: {report.base_rate_brier:.3f})."
        )


def _table(*headings: str) -> Table:
    table = Table(box=None)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _alert_counts(report: BacktestReport) -> Table:
    headings = ("alerts", "right", "wrong", "open", "precision", "said", "mean delay", "median")
    table = _table("", *headings)
    for each in report.alert_counts:
        table.add_row(
            each.kind,
            f"{each.alerts:,}",
            *(
                f"{count:,}" if each.right + each.wrong + each.open else ""
                for count in (each.right, each.wrong, each.open)
            ),
            _share(each.precision),
            _share(each.mean_probability),
            _days(each.mean_delay_days),
            _days(each.median_delay_days),
        )
    return table


def _sources(outages: list[SourceAlertRow]) -> Table:
    table = Table(box=None)
    for heading in ("from", "until", "source"):
        table.add_column(heading, no_wrap=heading != "source")
    for each in outages:
        table.add_row(each.date, each.until or "", Text(each.source))
    return table


def _groups(groups: list[GroupAlertRow]) -> Table:
    table = Table(box=None)
    for heading in ("date", "until", "kind"):
        table.add_column(heading, no_wrap=True)
    table.add_column("reason")
    for each in groups:
        table.add_row(each.date, each.until or "", each.kind, Text(each.reason))
    return table


def _alerts(alerts: list[AlertRow]) -> Table:
    table = Table(box=None)
    for heading in ("date", "", ""):
        table.add_column(heading, no_wrap=True)
    table.add_column("article", overflow="fold")
    table.add_column("reason")
    for each in alerts:
        ending = Text(each.ending or "", _STYLES.get(Ending(each.ending), "") if each.ending else "")
        article = Text(each.article.removeprefix("https://"))
        reason = f"Reported with its group. {each.reason}" if each.taken_over else each.reason
        table.add_row(each.date, each.kind, ending, article, Text(reason))
    return table


def _comparison(report: BacktestReport) -> Table:
    table = _table(
        *("precision", "threshold", "delay", "median", "right", "of"),
        *("fixed gap", "right", "of", "ratio"),
    )
    gaps = {row.precision: row for row in report.fixed_gap}
    for row in report.precision_delay:
        gap = gaps.get(row.precision)
        table.add_row(
            f"≥ {row.precision:.0%}",
            f"{row.threshold:.3f}",
            _days(row.mean_delay_days),
            _days(row.median_delay_days),
            f"{row.right:,}",
            f"{row.alerts:,}",
            *((_days(gap.threshold), f"{gap.right:,}", f"{gap.alerts:,}") if gap else ("", "", "")),
            f"{row.mean_delay_days / gap.mean_delay_days:.2f}" if gap else "",
        )
    return table


def _calibration(report: BacktestReport) -> Table:
    cells = {(each.gap_days, each.rate): each for each in report.calibration_by_gap}
    rates = dict.fromkeys(each.rate for each in report.calibration_by_gap)
    table = _table("day", *rates)
    for gap_days in sorted({each.gap_days for each in report.calibration_by_gap}):
        row = (cells.get((gap_days, rate)) for rate in rates)
        table.add_row(
            f"{gap_days}",
            *(f"{each.said:.0%} / {each.observed:.0%} ({each.looks:,})" if each else "" for each in row),
        )
    return table


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _days(days: float | None) -> str:
    return "" if days is None else f"{days:,.0f} d"
