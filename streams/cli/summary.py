"""`flatline summary`: a week in a few words."""

import asyncio
import sys
from typing import TYPE_CHECKING, Final

import msgspec
import typer

from flatline.cli.grammar import noun
from flatline.cli.options import Json, Until, Yes, with_settings
from flatline.cli.terminal_text import plain
from flatline.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

    from flatline.readmodel.queries.weekly import WeeklySummary

app = noun("A week in a few words.")
_INDENT: Final = "  "


@app.command()
@with_settings("summary_time_zone")
def show(*, until: Until = None, json: Json = False, settings: Settings) -> None:
    """Show a week: what gained links, and what stopped.

    And what to refresh, and how right alerts were. Needs a running `flatline serve`.
    """
    summary = _summary(settings, until)
    if json:
        sys.stdout.buffer.write(msgspec.json.encode(summary) + b"\n")
        return
    _print(summary)


@app.command()
@with_settings("summary_time_zone", "slack_webhook_url_file")
def send(
    *,
    until: Until = None,
    yes: Yes = False,
    settings: Settings,
) -> None:
    """Send the summary to Slack now. Needs a running `flatline serve`.

    `flatline serve` sends it by itself every week if FLATLINE_SUMMARY_AT says when.
    """
    from flatline.weekly.sending import post, webhook_in
    from flatline.weekly.words import slack_message

    if settings.slack_webhook_url_file is None:
        raise typer.BadParameter("--slack-webhook-url-file (or FLATLINE_SLACK_WEBHOOK_URL_FILE) is missing.")
    summary = _summary(settings, until)
    if yes:
        asyncio.run(post(webhook_in(settings.slack_webhook_url_file).read(), slack_message(summary, settings.page_url)))
        typer.echo("Sent.")
        return
    _print(summary)
    typer.echo("\nNothing was sent: add --yes.")


def _print(summary: "WeeklySummary") -> None:
    from flatline.weekly.words import lines

    for line in lines(summary):
        typer.echo(f"{_INDENT if line.startswith(_INDENT) else ''}{plain(line)}")


def _summary(settings: Settings, until: "datetime | None") -> "WeeklySummary":
    from flatline.api.client import ApiClient
    from flatline.readmodel.queries.weekly import WeeklySummary

    query = {"until": None if until is None else f"{until:%Y-%m-%d}", "time_zone": settings.summary_time_zone}
    client = ApiClient(settings.page_url, token_file=settings.api_token_file)
    return client.get("/weekly-summary", WeeklySummary, query)
