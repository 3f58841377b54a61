"""`flatline demo`."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from flatline.cli.exit_codes import INTERRUPTED
from flatline.cli.options import with_settings
from flatline.local.errors import LaunchError
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.demo.play import Scenario


@with_settings(of_running=False, about="Folder for the demo's data; by default `demo` in the data folder.")
def demo(
    *,
    history: Annotated[
        Path | None,
        typer.Option(
            help="Play this history: link events as NDJSON, also .gz or .zst; or the folder of a Git repository.",
            metavar="FILE",
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Exit when the history has been played; exit code 1 if something went wrong.")
    ] = False,
    speed: Annotated[
        float | None, typer.Option(min=0.01, max=100, help="Maximum number of simulated days per second.")
    ] = None,
    data_dir: str | None,
    settings: Settings,
) -> None:
    """Play a simulated history through everything, and show what reaches Slack.

    Several days pass each second. Some two hundred articles gain links, pause, stop and revive, and a crawler fails for
    a while. Afterwards everything keeps running until Ctrl-C, so that you can look around. With --history it plays
    the last part of a real history as if it happened now: that of a file, or the links that the Markdown, HTML and
    reStructuredText files of a Git repository gained and lost.
    """
    if find_spec("flatline.demo") is None:
        raise LaunchError(
            "The demo is not installed with the package.", remedy="Run `make demo` in a checkout of Flatline."
        )
    from flatline.demo.errors import DemoError
    from flatline.demo.run import Demo
    from flatline.local.stopping import until_stopped

    folder = Path(data_dir) if data_dir else settings.data_dir / "demo"
    console = Console(highlight=False)
    played = Demo(settings, folder=folder, console=console)
    with until_stopped(), _scenario(history, console, speed=speed) as scenario:
        played.run(scenario, is_once=once)
    if played.found is None:
        raise typer.Exit(INTERRUPTED)
    if played.unfulfilled:
        raise DemoError(
            "These expectations were not met: " + "; ".join(finding.words for finding in played.unfulfilled)
        )


@contextmanager
def _scenario(history: Path | None, console: Console, *, speed: float | None) -> "Iterator[Scenario]":
    from flatline.demo.git_clone import history_file
    from flatline.demo.scenarios import RecordedScenario, SimulatedScenario

    if history is None:
        yield SimulatedScenario(days_per_s=speed)
    elif history.is_dir():
        reading = f"Reading the links of {history}"
        console.print(f"{reading}; a thousand commits take seconds.", markup=False)
        with ExitStack() as kept:
            with console.status(escape(reading)) as status:
                file = kept.enter_context(
                    history_file(history, report=lambda found: status.update(escape(f"{reading}: {found}")))
                )
            yield RecordedScenario(file, days_per_s=speed, name=str(history))
    else:
        yield RecordedScenario(history, days_per_s=speed)
