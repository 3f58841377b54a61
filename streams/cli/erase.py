"""`flatline erase`."""

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from flatline.cli.exit_codes import FAILED
from flatline.cli.options import Incomplete, Yes, with_settings
from flatline.cli.rebuild_bar import rebuild_bar
from flatline.settings import Settings

if TYPE_CHECKING:
    from flatline.erasure.subject import Subject
    from flatline.readmodel.read_models import ReadModels

_DEADLINE_S = 60.0


@with_settings("readmodel_url", "policy_file")
def erase(
    *,
    author: Annotated[str | None, typer.Option(metavar="NAME", help="Author.")] = None,
    page: Annotated[str | None, typer.Option(metavar="URL", help="One page, by any of its addresses.")] = None,
    domain: Annotated[str | None, typer.Option(metavar="DOMAIN", help="A host name with all below it.")] = None,
    yes: Yes = False,
    incomplete: Incomplete = False,
    settings: Settings,
) -> None:
    """Remove a person's name, a page or a domain from everything that is stored.

    Stop everything but Kafka first. A name goes from every text that contains it. Links from an erased page or domain
    still count, under a pseudonym that leads back to nobody; an article of yours that is erased goes with its links.

    At the end it searches all topics, and prints what is left: exit code 1 if that is anything. Run it again after an
    interruption; until then nothing else may start. Backups and what else is outside of Flatline stay as they are.
    """
    from flatline.erasure.erase import search
    from flatline.erasure.subject import SubjectError, subject_of
    from flatline.local.own_kafka import own_kafka

    try:
        subject = subject_of(author=author, page=page, domain=domain)
    except SubjectError as error:
        raise typer.BadParameter(error.whole) from None
    with own_kafka(settings, lambda line: typer.echo(line, err=True)) as running:
        if yes:
            _erase(running, subject, incomplete=incomplete)
        else:
            found = search(running, subject)
            _print(found, None)
            typer.echo(f"{sum(found.values()):,} records mention it. --yes erases.")


def _erase(settings: Settings, subject: "Subject", *, incomplete: bool) -> None:
    from flatline.clock import WallClock
    from flatline.erasure.erase import erase as erase_everywhere

    with _sole_use(settings), rebuild_bar() as bar:
        read_models = _read_models(settings)
        try:
            erased = erase_everywhere(
                settings,
                subject,
                bar,
                read_models=read_models,
                now_ms=WallClock().now_ms(),
                may_be_incomplete=incomplete,
            )
        finally:
            read_models.close()
    _print(erased.before, erased.left)
    left = sum(erased.left.values())
    if erased.deleted:
        typer.echo(f"Deleted, to be made anew by `flatline serve`: {', '.join(erased.deleted)}.")
    if not erased.is_complete:
        where = [*(name for name, count in erased.left.items() if count), *erased.left_read_models]
        typer.echo(f"Not erased: {left:,} records still mention it, in {', '.join(where)}. Run it again.", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"Erased: none of {len(erased.left)} topics mentions it any more.")


def _print(before: dict[str, int], left: dict[str, int] | None) -> None:
    table = Table("topic", "records that mention it", *([] if left is None else ["left"]), box=None)
    for name in dict.fromkeys([*before, *(left or ())]):
        figures = [before.get(name, 0)] + ([] if left is None else [left.get(name, 0)])
        table.add_row(name, *(f"{figure:,}" for figure in figures))
    Console().print(table)


def _read_models(settings: Settings) -> "ReadModels":
    from flatline.api.asking import READERS

    if settings.readmodel_url is None:
        from flatline.readmodel.files import Files

        return Files(settings.data_dir / "readmodel", readers=READERS, deadline_s=_DEADLINE_S)
    from flatline.readmodel.schemas import Schemas

    return Schemas(settings.readmodel_url, settings.namespace, readers=READERS, deadline_s=_DEADLINE_S)


def _sole_use(settings: Settings) -> AbstractContextManager[object]:
    from flatline.local.lock import sole_use_of

    return sole_use_of(settings.data_dir / "readmodel") if settings.readmodel_url is None else nullcontext()
