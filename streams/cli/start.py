"""`flatline` without a command: the first commands that a newcomer needs."""

from importlib.metadata import version
from typing import Annotated, Final

import typer

_FIRST: Final = """\
Flatline watches the links that your content earns, and tells you when they stop.

  flatline demo                see it at work on a simulated history
  flatline up                  run it on this machine
  flatline watch YOURS.EXAMPLE run it, and find links by itself
  flatline links import FILE   bring in your links
  flatline articles list       list the articles and their states
  flatline explain ARTICLE     see why

`flatline --help` lists all commands. `flatline doctor` says what is missing or not well.
"""


def start(
    ctx: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Watch the links that your content earns, and tell you when they stop."""
    if show_version:
        typer.echo(f"flatline {version('flatline')}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        typer.echo(_FIRST, nl=False)
