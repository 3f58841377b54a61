"""`flatline connect`: run connectors, and look after them."""

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flatline.cli.grammar import noun
from flatline.cli.logs import set_up_logs
from flatline.cli.options import Json, with_settings
from flatline.settings import Settings, load_settings

if TYPE_CHECKING:
    from flatline.schema.topics import Topics
    from flatline_connectors.runtime.section import Section

app = noun("Connectors, which find links by themselves.")
state_app = noun("What is saved of connectors.")
app.add_typer(state_app, name="state", short_help="What is saved of connectors.")

ConnectorArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the connector: its section in connectors.toml.")
]
_SERVER = ("connect_host", "connect_port", "connectors_file")


@app.command()
@with_settings(*_SERVER, of="connect_")
def run(
    *,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="NAME", help="Run this connector only. Repeatable.")
    ] = None,
    settings: Settings,
    connect_port: str | None = None,
) -> None:
    """Run the connectors until it is stopped.

    They are those of connectors.toml. Start it several times to share them: each connector runs in one process, and
    if that dies, in another one. Without --port or FLATLINE_CONNECT_PORT it takes the first free port from 8708 on.
    """
    from flatline.connect.process import run_connectors
    from flatline.local.ports import first_free

    set_up_logs(settings, level=logging.INFO)
    sections = [_named(settings, name) for name in only] if only else _sections(settings)
    if connect_port is None and "connect_port" not in load_settings(of_running=False).model_fields_set:
        port = first_free(settings.connect_host, settings.connect_port)
        settings = settings.model_copy(update={"connect_port": port})
    asyncio.run(run_connectors(settings, _topics(settings), sections, folder=_folder(settings)))


@app.command("list")
@with_settings("connectors_file", of="connect_")
def show_all(*, json: Json = False, settings: Settings) -> None:
    """List connectors, with their last and next runs.

    Also what they have seen, and what is left of their budgets.
    """
    from flatline.cli.connector_view import print_connectors
    from flatline.clock import clock_from
    from flatline.connect.saved import saved_records

    sections = _sections(settings)
    saved = saved_records(settings.cluster, _topics(settings))
    print_connectors(sections, saved.statuses, now_ms=clock_from(settings).now_ms(), as_json=json)


@app.command()
@with_settings("connectors_file", of="connect_")
def check(
    name: ConnectorArgument,
    *,
    cost_only: Annotated[bool, typer.Option("--cost-only", help="Say what a day costs, and send no request.")] = False,
    settings: Settings,
) -> None:
    """Try a connector, without changing anything.

    Checks its section, says what a day costs where a vendor charges, checks its credentials and reads a first page.
    Changes nothing in Kafka. Requests to a vendor are real ones, and not counted in the connector's budget.
    """
    from flatline.cli.connector_view import check_summary
    from flatline.connect.single import cost_of_run, run_dry
    from flatline_connectors.runtime.cost import cost_in_words

    section = _named(settings, name)
    typer.echo(f"{settings.connectors_file}: [{name}] is a connector of kind {section.kind.name}. {section.kind.about}")
    if section.kind.unseen:
        typer.echo(f"It can't know of {section.kind.unseen}.")
    topics, folder = _topics(settings), _folder(settings)
    cost = cost_of_run(settings, topics, section, folder=folder)
    if cost is not None:
        for sentence in cost_in_words(cost, section.options):
            typer.echo(sentence)
    elif cost_only:
        typer.echo("Its requests cost nothing.")
    if cost_only:
        return
    status, sent = asyncio.run(run_dry(settings, topics, section, folder=folder, show=lambda *_: None, polls_max=1))
    _refuse_failed(name, status.outcome, status.detail)
    for line in check_summary(section, sent):
        typer.echo(line)


@app.command()
@with_settings("connectors_file", of="connect_")
def once(
    name: ConnectorArgument,
    *,
    keys: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Run one of the kind NAME with this key, without a section. Repeatable."
        ),
    ] = None,
    repo: Annotated[
        str | None, typer.Option("--repo", metavar="REPO", help="Short for --set repo=REPO, for the kind git.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent, one JSON object per line; change nothing.")
    ] = False,
    settings: Settings,
) -> None:
    """Run a connector once.

    Sends what it finds, and saves how far it is. It refuses to while `flatline connect run` is running. With --set or
    --repo, NAME is a kind of connector, and connectors.toml is not read.
    """
    from flatline.cli.connector_view import print_record, sent_summary
    from flatline.connect.single import refuse_running, run_dry, run_once

    given = _keys([*(keys or ()), *([f"repo={repo}"] if repo is not None else ())])
    section = _section_of(name, given) if given else _named(settings, name)
    topics, folder = _topics(settings), Path.cwd() if given else _folder(settings)
    if dry_run:
        status, sent = asyncio.run(run_dry(settings, topics, section, folder=folder, show=print_record))
        _refuse_failed(name, status.outcome, status.detail)
        typer.echo(sent_summary(sent, is_dry=True), err=True)
        return
    refuse_running(settings, topics)
    status, sent = asyncio.run(run_once(settings, topics, section, folder=folder, is_last=bool(given)))
    typer.echo(sent_summary(sent, is_dry=False))
    _refuse_failed(name, status.outcome, status.detail)


@state_app.command("show")
@with_settings()
def show_state(name: ConnectorArgument, *, settings: Settings) -> None:
    """Print what is saved of a connector, as JSON.

    That is its position, and how its last run ended.
    """
    from flatline.cli.connector_view import print_state
    from flatline.connect.saved import saved_records

    saved = saved_records(settings.cluster, _topics(settings))
    print_state(name, saved.position(name), saved.statuses.get(name))


@state_app.command("reset")
@with_settings()
def reset_state(name: ConnectorArgument, *, settings: Settings) -> None:
    """Have a connector begin anew.

    Deletes its position. What it finds again counts once. A process that runs the connector begins anew at once.
    What was spent of a budget stays spent.
    """
    from flatline.cli.connector_view import UnknownConnector
    from flatline.connect.saved import delete_position, saved_records

    topics = _topics(settings)
    if name not in saved_records(settings.cluster, topics).positions:
        raise UnknownConnector(f"No position is saved of a connector {name!r}.")
    delete_position(settings.cluster, topics, name)
    typer.echo(f"{name} begins anew with its next run.")


def _topics(settings: Settings) -> "Topics":
    from flatline.connect.saved import refuse_without_topic
    from flatline.generations import serving_topics
    from flatline.kafka.permissions import Role

    topics = serving_topics(settings, Role.CONNECT)
    refuse_without_topic(settings.cluster, topics)
    return topics


def _folder(settings: Settings) -> Path:
    return settings.connectors_file.resolve().parent


def _sections(settings: Settings) -> "list[Section]":
    from flatline_connectors.runtime.config_file import load_sections
    from flatline_connectors.runtime.registry import KINDS

    return load_sections(settings.connectors_file, KINDS)


def _named(settings: Settings, name: str) -> "Section":
    from flatline.cli.connector_view import UnknownConnector

    sections = {section.name: section for section in _sections(settings)}
    if name not in sections:
        names = ", ".join(sections) or "none"
        raise UnknownConnector(f"{settings.connectors_file} has no section [{name}]. There are: {names}.")
    return sections[name]


def _keys(texts: list[str]) -> list[tuple[str, str]]:
    parts = [text.partition("=") for text in texts]
    for key, equals, _ in parts:
        if not key or not equals:
            raise typer.BadParameter("--set takes KEY=VALUE, such as --set repo=https://host.example/name.git.")
    return [(key.strip(), value.strip()) for key, _, value in parts]


def _section_of(kind: str, keys: list[tuple[str, str]]) -> "Section":
    from flatline_connectors.runtime.ad_hoc import section_of
    from flatline_connectors.runtime.registry import KINDS

    return section_of(kind, keys, KINDS)


def _refuse_failed(name: str, outcome: str | None, detail: str) -> None:
    from flatline.cli.connector_view import RunFailed

    if outcome != "completed":
        raise RunFailed(f"{name} did not get to the end ({outcome}): {detail}")
