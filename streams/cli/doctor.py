"""`flatline doctor`."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flatline.cli.exit_codes import FAILED
from flatline.cli.options import Json, with_settings
from flatline.cli.terminal_text import text
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.doctor.check_result import CheckResult

_SIGNS: Final = {"fine": Text("✓", "green"), "look": Text("!", "yellow"), "wrong": Text("✗", "red")}


@with_settings()
def doctor(
    *,
    send_test_alert: Annotated[
        bool,
        typer.Option("--send-test-alert", help="Also send a test alert the way that alerts go, for example to Slack."),
    ] = False,
    json: Json = False,
    settings: Settings,
) -> None:
    """Check this machine and the running installation.

    ✓ is fine, ! deserves a look, ✗ must be fixed. Exit code 1 if anything must be fixed.
    """
    from flatline.doctor.installation import NOT_NAMED, deliver_test_alert, examine_installation
    from flatline.doctor.machine import examine_machine

    findings = examine_machine(settings.core)
    # Named by the environment, or by an installation that runs: the default alone says nothing about either.
    is_named = "kafka_bootstrap" in settings.model_fields_set
    findings += examine_installation(settings) if is_named else [NOT_NAMED]
    if send_test_alert:
        Console(stderr=True).print("Sending a test alert. This takes a minute or two, as Alertmanager waits first.")
        findings += deliver_test_alert(settings)
    _print_json(findings) if json else _print_table(findings)
    if any(finding.sign == "wrong" for finding in findings):
        raise typer.Exit(FAILED)


def _print_json(findings: Iterable["CheckResult"]) -> None:
    for finding in findings:
        sys.stdout.buffer.write(orjson.dumps(finding, option=orjson.OPT_APPEND_NEWLINE))


def _print_table(findings: Iterable["CheckResult"]) -> None:
    table = Table(box=None, show_header=False)
    for finding in findings:
        says = Text("\n").join(text(line) for line in finding.says.splitlines())
        table.add_row(_SIGNS[finding.sign], finding.what, says)
    Console().print(table)
