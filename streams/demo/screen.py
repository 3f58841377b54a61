"""The output of a demo: a log of what happens and, on a terminal, a panel below it with the current status."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flatline.demo.expectations import Finding
from flatline.demo.slack_receiver import Message, plain_text
from flatline.demo.worker_gauges import WorkerGauges
from flatline.state_styles import STATE_STYLES
from flatline_connectors.files.importer import ImportCounts

_BORDERS: Final = {"good": "green", "warning": "yellow", "danger": "red"}
_DAYS_BETWEEN_LINES: Final = 60
_RESOLVED: Final = "Resolved:"  # what follows would be misunderstood without it


class Screen:
    """Writes to ``console``: with panel and colours on a terminal, else plain lines."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._stated_at: datetime | None = None
        self._slack_said: set[str] = set()

    @contextmanager
    def panel(self) -> Iterator[None]:
        """Show the panel below the log until the end of the body."""
        if self._console.is_terminal:
            with self._live:
                yield
        else:
            yield

    def say(self, words: str, *, style: str = "") -> None:
        """Print a line as it is."""
        self._console.print(Text(words, style), soft_wrap=True)

    def status(self, words: str) -> None:
        """Show in the panel what is being done."""
        self._show(words)

    def imported(self, tally: ImportCounts, *, until: datetime) -> None:
        """Print what became of the past."""
        self.say(
            f"Imported: {tally.accepted:,} link events from before {until:%Y-%m-%d}. Articles that were already silent "
            "then are not reported."
        )
        if rejected := tally.rejected.total():
            reasons = ", ".join(f"{count:,} {reason}" for reason, count in tally.rejected.most_common())
            self.say(f"{rejected:,} lines are broken and went to the dead-letter topic: {reasons}.", style="yellow")

    def happens(self, at: datetime, words: str) -> None:
        """Print what happens on a day."""
        self._console.print(Text.assemble((f"{at:%Y-%m-%d}  ", "dim"), (words, "cyan")), soft_wrap=True)

    def slack(self, at: datetime, message: Message) -> None:
        """Print a message as Slack shows it. Lines that an earlier message had, too, are only counted."""
        title, *lines = plain_text(message).splitlines()
        rest = [line for line in lines if line not in self._slack_said]
        self._slack_said.update(line for line in lines if line != _RESOLVED)
        if known := len(lines) - len(rest):
            rest.append(f"({known} more line{'s' if known > 1 else ''}, as before)")
        if message.violation:
            title = f"Slack would refuse this, because {message.violation}: {title}"
        if not self._console.is_terminal:
            for line in (title, *rest):
                self.say(f"{at:%Y-%m-%d}  Slack: {line}")
            return
        color = message.payload["attachments"][0].get("color", "white")
        self._console.print(
            Panel(
                Group(Text(title, "bold"), *map(Text, rest)),
                title=f"Slack, {at:%Y-%m-%d}",
                title_align="left",
                border_style=_BORDERS.get(color, color),
            )
        )

    def stands(self, at: datetime, *, share: float, left_s: float, pushed: int, gauges: WorkerGauges | None) -> None:
        """Show the day, how much of the play is over, and the worker's numbers."""
        standing = Text.assemble(f"{pushed:,} links pushed; ", _standing(gauges))
        if self._console.is_terminal:
            left = f"{left_s:.0f} s left" if left_s > 0 else "Ctrl-C ends it"
            progress = Table.grid(padding=(0, 2))
            progress.add_row(Text(f"{at:%Y-%m-%d}", "bold"), ProgressBar(completed=min(1, share) * 100, width=40), left)
            self._show(Group(progress, standing))
        elif self._stated_at is None or (at - self._stated_at).days >= _DAYS_BETWEEN_LINES:
            self._stated_at = at
            self.say(f"{at:%Y-%m-%d}  {standing.plain}")

    def _show(self, content: RenderableType) -> None:
        # Room for the ^C that a terminal echoes: on a line of its own it would put rich's count of lines out.
        self._live.update(Panel(content, border_style="blue", width=self._console.width - 2))

    def outcome(self, counts: Sequence[tuple[int, str]]) -> None:
        """Print the counts."""
        table = Table(box=None, show_header=False)
        table.add_column(justify="right", style="bold")
        for count, words in counts:
            table.add_row(f"{count:,}", Text(words))
        self._console.print(table)

    def found(self, findings: Sequence[Finding]) -> None:
        """Print the expectations, and whether they were met."""
        for finding in findings:
            sign = Text("✓ ", "green") if finding.is_fine else Text("✗ ", "bold red")
            self._console.print(sign + Text(finding.words), soft_wrap=True)

    def places(self, places: Sequence[tuple[str, str]]) -> None:
        """Print what to look at, and where."""
        table = Table(box=None, show_header=False)
        for name, place in places:
            table.add_row(name, Text(place))
        self._console.print(table, soft_wrap=True)


def _standing(gauges: WorkerGauges | None) -> Text:
    """Return the number of articles in each state, of watched articles that no source covers, and the stale sources."""
    if gauges is None:
        return Text("the worker does not answer", "red")
    states = gauges.articles.items()
    parts = [Text(f"{count} {state}", STATE_STYLES.get(state, "")) for state, count in states if count]
    if gauges.unseen:
        parts.append(Text(f"{gauges.unseen} unseen", "magenta"))
    parts += [Text(f"{source} stale for {days:.0f} days", "red") for source, days in gauges.stale_days.items()]
    return Text(", ").join(parts)
