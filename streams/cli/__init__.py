"""The command line. Each command is a thin shell; what a person can mend ends in a message and exit code 1."""

import sys

import typer
from rich.console import Console

from flatline.cli import (
    articles,
    backtest,
    demo,
    doctor,
    explain,
    groups,
    ingest,
    links,
    model,
    policy,
    publications,
    sites,
    state,
    topics,
    up,
    visits,
    worker,
)

app = typer.Typer(
    name="flatline",
    help="Watches the links that content earns, and says when a piece stops earning them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.add_typer(links.app, name="links")
app.command("ingest")(ingest.ingest)
app.command("worker")(worker.worker)
app.add_typer(articles.app, name="articles")
app.add_typer(sites.app, name="sites")
app.add_typer(publications.app, name="publications")
app.add_typer(groups.app, name="groups")
app.add_typer(groups.cohorts_app, name="cohorts")
app.add_typer(visits.app, name="visits")
app.command("explain")(explain.explain)
app.command("backtest")(backtest.backtest)
app.add_typer(model.app, name="model")
app.add_typer(policy.app, name="policy")
app.add_typer(topics.app, name="topics")
app.add_typer(state.app, name="state")
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


def main() -> None:
    """Run a command."""
    try:
        app()
    except Exception as error:
        message = _for_a_person(error)
        if message is None:
            raise
        Console(stderr=True, highlight=False).print(message, markup=False, soft_wrap=True)
        sys.exit(1)


def _for_a_person(error: Exception) -> str | None:
    """Return what to tell a person of an error that they can mend; None for any other."""
    # Imported late: these bring whole clients along.
    from kafka.errors import KafkaError

    from flatline.admin.topics import TopicsError
    from flatline.backtest.assessment import TooLittleHistoryError
    from flatline.clock import ClockError
    from flatline.domain.state.article import UnknownFormatError
    from flatline.fitting.fit import TooFewCasesError
    from flatline.local.errors import LaunchError
    from flatline.policy_file import PolicyError
    from flatline.rebuild.extent import IncompleteLogError
    from flatline.rebuild.lost_state import LostStateError
    from flatline.rebuild.rebuild import RebuildError
    from flatline.settings import SettingsError
    from flatline.worker.app import UnfitError
    from flatline_connectors.errors import ConnectorError

    if isinstance(error, KafkaError):
        hint = "Start one with `flatline up`, or set FLATLINE_KAFKA_BOOTSTRAP."
        return f"Kafka does not answer as it should: {error}\n{hint}"
    mendable = (
        ClockError
        | ConnectorError
        | LaunchError
        | IncompleteLogError
        | LostStateError
        | RebuildError
        | PolicyError
        | SettingsError
        | TooFewCasesError
        | TooLittleHistoryError
        | TopicsError
        | UnfitError
        | UnknownFormatError
    )
    return str(error) if isinstance(error, mendable) else None
