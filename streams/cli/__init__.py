"""The command line: a noun and a verb, or one of the short words. Each command is a thin shell."""

import sys
from itertools import chain
from typing import Any, Final

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
    start,
    state,
    topics,
    up,
    visits,
    worker,
)
from flatline.cli.grammar import Commands

app = typer.Typer(
    name="flatline",
    cls=Commands,
    help="Flatline watches the links that your content earns, and tells you when they stop.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback(invoke_without_command=True)(start.start)

_SECTIONS: Final[dict[str, tuple[tuple[str, Any, str], ...]]] = {
    "Start here": (
        ("demo", demo.demo, "Play a simulated history through everything."),
        ("up", up.up, "Run everything on this machine until Ctrl-C."),
        ("doctor", doctor.doctor, "Check this machine and the running installation."),
    ),
    "Bring in and maintain your data": (
        ("links", links.app, "Links to your articles, from files."),
        ("articles", articles.app, "Your articles, and how they stand."),
        ("visits", visits.app, "Visits that links bring."),
        ("sites", sites.app, "Sites, sections and articles that move."),
    ),
    "See what Flatline says": (
        ("explain", explain.explain, "Show what the verdict on an article rests on."),
        ("groups", groups.app, "Series, authors, strategies and sites."),
        ("cohorts", groups.cohorts_app, "How fast links come, by site and month."),
        ("publications", publications.app, "Who links to you, and what they get back."),
    ),
    "Try and change the rules": (
        ("backtest", backtest.backtest, "Replay a history: which alerts, when, how many right."),
        ("policy", policy.app, "Thresholds, and what to ignore."),
        ("model", model.app, "The model of silence, on your own history."),
    ),
    "Operate": (
        ("worker", worker.worker, "Run one worker: count links, judge articles."),
        ("ingest", ingest.ingest, "Run the HTTP server that crawlers push to."),
        ("topics", topics.app, "The topics in Kafka."),
        ("state", state.app, "What workers know, made from the log."),
    ),
}
Commands.sections = {section: tuple(name for name, *_ in rows) for section, rows in _SECTIONS.items()}
for _name, _command, _about in chain.from_iterable(_SECTIONS.values()):
    if isinstance(_command, typer.Typer):
        app.add_typer(_command, name=_name, short_help=_about)
    else:
        app.command(_name, short_help=_about)(_command)


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
