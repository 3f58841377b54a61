"""The command line: each command is a noun and a verb, or one word, and a thin layer around the other packages."""

import sys
from itertools import chain
from typing import Any, Final

import typer
from rich.console import Console

from flatline.cli import (
    alerts,
    articles,
    backtest,
    connect,
    demo,
    doctor,
    erase,
    explain,
    groups,
    ingest,
    instances,
    links,
    model,
    policy,
    publications,
    serve,
    sites,
    start,
    state,
    summary,
    topics,
    up,
    visits,
    watch,
    worker,
)
from flatline.cli.exit_codes import FAILED
from flatline.cli.grammar import Commands
from flatline.errors import FlatlineError

app = typer.Typer(
    name="flatline",
    cls=Commands,
    help="Flatline watches the links that your content earns, and tells you if they stop.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.callback(invoke_without_command=True)(start.start)

_SECTIONS: Final[dict[str, tuple[tuple[str, Any, str], ...]]] = {
    "Start here": (
        ("demo", demo.demo, "Play a simulated history through everything."),
        ("up", up.up, "Run everything on this machine until Ctrl-C."),
        ("watch", watch.watch, "Run everything, with the sources that need no account."),
        ("doctor", doctor.doctor, "Check this machine and the running installation."),
    ),
    "Add and maintain your data": (
        ("links", links.app, "Links to your articles, from files."),
        ("articles", articles.app, "Your articles."),
        ("visits", visits.app, "Visits that links bring."),
        ("sites", sites.app, "Your sites."),
    ),
    "See the results": (
        ("explain", explain.explain, "Show what the verdict on an article is based on."),
        ("alerts", alerts.app, "Alerts, marks and snoozes."),
        ("summary", summary.app, "A week in a few words, for Slack, too."),
        ("groups", groups.app, "Series, authors, strategies and sites."),
        ("cohorts", groups.cohorts_app, "How fast links arrive, by site and month."),
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
        ("connect", connect.app, "Connectors."),
        ("serve", serve.serve, "Run the HTTP API over everything that is known."),
        ("instances", instances.app, "Processes that Prometheus finds."),
        ("topics", topics.app, "The topics in Kafka."),
        ("state", state.app, "What workers know, made from the log."),
        ("erase", erase.erase, "Remove a person's name, a page or a domain."),
    ),
}
# The packages of the extra `analysis`.
_OF_ANALYSIS: Final = frozenset({"scipy", "matplotlib"})
Commands.sections = {section: tuple(name for name, *_ in rows) for section, rows in _SECTIONS.items()}
for _name, _command, _about in chain.from_iterable(_SECTIONS.values()):
    if isinstance(_command, typer.Typer):
        app.add_typer(_command, name=_name, short_help=_about)
    else:
        app.command(_name, short_help=_about)(_command)


def main() -> None:
    """Run a command. What a person can mend ends in a message and exit code 1, anything else in a traceback."""
    try:
        app()
    except FlatlineError as error:
        _tell(error.whole)
    except ModuleNotFoundError as error:
        if (package := (error.name or "").partition(".")[0]) not in _OF_ANALYSIS:
            raise
        _tell(f"This needs {package}, which is not installed.\nRun: pip install 'flatline[analysis]'.")
    except Exception as error:
        # Imported late: it brings the client along.
        from kafka.errors import KafkaError

        if not isinstance(error, KafkaError):
            raise
        _tell(_why(error))
    sys.exit(FAILED)


def _why(error: Exception) -> str:
    """Return what to tell of an error of Kafka: a client that is no longer let in only says that its time is up."""
    from flatline.kafka.access import AccessError
    from flatline.settings import load_settings
    from flatline_connectors.sending.producer import KafkaUnavailable

    try:
        load_settings().cluster.refuse_no_access()
    except AccessError as refusal:
        return refusal.whole
    return f"Kafka does not answer as it should: {error}\n{KafkaUnavailable.remedy}"


def _tell(error: str) -> None:
    Console(stderr=True, highlight=False).print(f"Error: {error}", markup=False, soft_wrap=True)
