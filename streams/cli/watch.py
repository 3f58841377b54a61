"""`flatline watch`: everything, for one's own sites, from sources that need no account."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from flatline.cli.options import with_settings
from flatline.cli.up import run_until_stopped
from flatline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flatline_connectors.runtime.watch_list import Watching


@with_settings("workers", "policy_file", "connectors_file", of_running=False)
def watch(
    sites: Annotated[list[str], typer.Argument(metavar="SITE...", help="Your sites, such as yours.example.")],
    *,
    feeds: Annotated[
        list[str] | None,
        typer.Option("--feed", metavar="URL", help="Feed of a site that may link to you. Repeatable."),
    ] = None,
    doi_prefixes: Annotated[
        list[str] | None,
        typer.Option("--doi-prefix", metavar="PREFIX", help="Prefix of your DOIs, such as 10.5555. Repeatable."),
    ] = None,
    write_only: Annotated[
        bool, typer.Option("--write-only", help="Only write connectors.toml; start nothing.")
    ] = False,
    settings: Settings,
) -> None:
    """Run everything on this machine for your sites, until Ctrl-C.

    Adds to connectors.toml the connectors that need no account: your sitemaps and feeds, Hacker News, Wikipedia,
    Bluesky, and the feeds and DOIs that you name. What stands in the file stays as it is. Then it does what
    `flatline up` does. The next `flatline up` with this file runs the same.
    """
    from flatline.toml_file import text_of_file
    from flatline_connectors.runtime.config_file import ConnectorsFileError, sections_of
    from flatline_connectors.runtime.registry import KINDS
    from flatline_connectors.runtime.watch_list import watch_list

    hosts, file = [_host(site) for site in sites], settings.connectors_file
    before = text_of_file(file, ConnectorsFileError, what="The file of connectors") if file.exists() else ""
    existing = sections_of(before, KINDS, path=file)
    watching = watch_list(hosts, existing, feeds=feeds or (), prefixes=doi_prefixes or ())
    added = "\n".join(each.text for each in watching if each.text is not None)
    if added:
        text = f"{before.rstrip()}\n\n{added}".lstrip()
        sections_of(text, KINDS, path=file)  # as nothing that can't be read is to be written
        _replace(file, text)
    _tell(file, hosts, watching)
    if write_only:
        typer.echo(f"Start them with `flatline up` in {file.resolve().parent}. If it is running, restart it.")
        return
    run_until_stopped(settings)


def _host(site: str) -> str:
    from flatline.domain.urls.canonical import InvalidUrl
    from flatline_connectors.sites import host_of

    try:
        return host_of(site)
    except InvalidUrl as error:
        raise typer.BadParameter(f"{site!r} is no site: {error}. Name its host, such as yours.example.") from None


def _replace(file: Path, text: str) -> None:
    """Write a file at once, so that it is never seen half."""
    unfinished = file.with_name(f".{file.name}.new")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def _tell(file: Path, hosts: "Sequence[str]", watching: "Sequence[Watching]") -> None:
    from flatline_connectors.runtime.registry import KINDS

    console = Console(highlight=False)

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    say(f"Connectors for {', '.join(hosts)} in {file}:")
    width = max(len(each.name) for each in watching)
    for name, kind, text in watching:
        say(f"  {name:<{width}}  {KINDS[kind].about}{'' if text else ' (It was there already.)'}")
        if unseen := KINDS[kind].unseen:
            say(f"  {'':<{width}}  It can't know of {unseen}.")
    say("No source sees all links. `flatline links import FILE` adds those of a link tool.\n")
