"""`flatline policy`: thresholds and ignored links."""

from pathlib import Path
from typing import Annotated

import typer

from flatline.cli.grammar import noun
from flatline.cli.options import with_settings
from flatline.settings import Settings

app = noun("The thresholds of the judgement, and what is ignored.")


@app.command()
@with_settings()
def show(
    *,
    default: Annotated[bool, typer.Option("--default", help="Print the defaults, whatever is in force.")] = False,
    settings: Settings,
) -> None:
    """Print the policy in force, with every key explained.

    That is the file that FLATLINE_POLICY_FILE names, or the defaults. Each value says on which line of the file it
    stands, or that it is the default. The output is a policy file.
    """
    from flatline.policy_file import PolicyFile, lines_of_keys, load_policy_file
    from flatline.policy_text import text_of, text_with_origins

    if default:
        typer.echo(text_of(PolicyFile()), nl=False)
        return
    path = settings.policy_file
    file, lines = load_policy_file(path), {} if path is None else lines_of_keys(path)
    typer.echo(text_with_origins(file, path, lines), nl=False)


@app.command()
@with_settings()
def check(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="The policy file; by default FLATLINE_POLICY_FILE.", show_default=False),
    ] = None,
    *,
    settings: Settings,
) -> None:
    """Check a policy file, and list what it changes.

    Exit code 1 if it can't be used.
    """
    from flatline.policy_file import load_policy_file
    from flatline.policy_text import changes

    path = file or settings.policy_file
    changed = list(changes(load_policy_file(path)))
    name = "The default policy" if path is None else str(path)
    typer.echo(f"{name} can be used. It changes {'these keys:' if changed else 'nothing.'}")
    for change in changed:
        typer.echo(f"  {change}")
