"""`flatline policy`."""

import typer


def policy() -> None:
    """Print the default policy as a file to start from, for FLATLINE_POLICY_FILE and `flatline backtest --policy`."""
    from flatline.policy_file import default_file

    typer.echo(default_file(), nl=False)
