"""`flatline backtest`."""

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flatline.cli.exit_codes import LINES_REJECTED
from flatline.cli.options import Articles, Heartbeats, Json, LinkFiles, Strict, WatchFrom, with_settings
from flatline.clock import clock_from
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.backtest.assessment import Assessment


@with_settings("policy_file")
def backtest(
    files: LinkFiles,
    *,
    articles: Articles = None,
    heartbeats: Heartbeats = None,
    watch_from: WatchFrom = None,
    picture: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Plot precision against delay to this .svg or .png file. Repeatable."),
    ] = None,
    alerts: Annotated[int, typer.Option(min=0, help="How many of the latest alerts to list.")] = 10,
    strict: Strict = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Replay known link events, and show which alerts would have come, when, and how many were right.

    For comparison it shows a fixed gap (an alert after so many days without a link) at equal precision, and checks
    whether the probabilities hold. Lines that can't be read are counted and left out.
    """
    from rich.progress import track

    from flatline.backtest.report import as_json, run
    from flatline.cli.backtest_tables import show
    from flatline.cli.histories import read_histories
    from flatline.domain.time import EARLIEST_MS, to_ms
    from flatline.policy_file import load_policy

    if picture:
        _refuse_other_formats(picture)
    policy_in_force = load_policy(settings.policy_file)
    gc.set_threshold(100_000, 20, 100)  # what is read stays: looking for garbage among it takes half of the time
    console = Console(stderr=True, highlight=False)
    histories = read_histories(
        files, articles or [], heartbeats or [], policy_in_force.ignored, console, now_ms=clock_from(settings).now_ms()
    )
    found = run(
        histories,
        track(histories, "judging", len(histories), console=console, transient=True, disable=not console.is_terminal),
        policy_in_force,
        watched_since_ms=to_ms(watch_from) if watch_from else EARLIEST_MS,
    )
    if picture:
        _draw(picture, found.assessment)
    if json:
        sys.stdout.buffer.write(as_json(found.report))
    else:
        show(found, Console(highlight=False), alerts_listed=alerts)
    if strict and histories.rejected:
        raise typer.Exit(LINES_REJECTED)


def _refuse_other_formats(picture: list[Path]) -> None:
    from flatline.backtest.picture import FORMATS  # it brings matplotlib along, which not everybody has

    if wrong := [path for path in picture if path.suffix not in FORMATS]:
        raise typer.BadParameter(f"{wrong[0]}: the name must end in {' or '.join(FORMATS)}", param_hint="--picture")


def _draw(picture: list[Path], assessment: "Assessment") -> None:
    from flatline.backtest.picture import draw

    for path in picture:
        draw(path, assessment)
