"""`flatline doctor`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from streams.settings import load_settings


def doctor(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of the installation; else FLATLINE_DATA_DIR, or .flatline")
    ] = None,
) -> None:
    """Say what is missing on this machine, and whether the running installation is well. Exit code 1 if not."""
    from deploy.local.checkup import examine_installation, examine_machine

    settings = load_settings(data_dir)
    findings = examine_machine()
    # Named by the environment, or by an installation that runs: the default alone says nothing about either.
    if "kafka_bootstrap" in settings.model_fields_set:
        findings += examine_installation(settings)
    table = Table(box=None, show_header=False)
    for finding in findings:
        sign = Text("✓", "green") if finding.is_fine else Text("✗", "red")
        table.add_row(sign, finding.what, Text(finding.says))
    Console().print(table)
    if not all(finding.is_fine for finding in findings):
        raise typer.Exit(1)
