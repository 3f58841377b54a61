"""`flatline summary`, over an API with hostile texts, and a Slack."""

import asyncio
from pathlib import Path

import msgspec

from flatline.demo.slack_receiver import SlackReceiver, plain_text
from flatline.readmodel.queries.weekly import WeeklySummary
from flatline.weekly.words import headline
from tests.api.answering import DESCRIBED, of_log, serving
from tests.api.histories import history
from tests.cli.in_process import flatline
from tests.readmodel.projecting import database


async def test_it_is_shown_and_sent(tmp_path: Path) -> None:
    """By command, with the sentences of the API; nothing is sent without --yes, and nothing foreign is obeyed."""
    webhook_file = tmp_path / "webhook"
    made = of_log(history(), database(tmp_path))
    async with serving(made, tmp_path) as client, SlackReceiver() as slack:
        webhook_file.write_text(f"{slack.url}\n")
        variables = {
            "FLATLINE_PAGE_URL": str(client.make_url("/")).rstrip("/"),
            "FLATLINE_SLACK_WEBHOOK_URL_FILE": str(webhook_file),
            "FLATLINE_SUMMARY_TIME_ZONE": "Europe/Paris",
        }
        answer = await client.get("/api/v1/weekly-summary", params={"time_zone": "Europe/Paris"})
        summary = msgspec.json.decode(await answer.read(), type=WeeklySummary)
        DESCRIBED.check("/api/v1/weekly-summary", 200, await answer.json())
        shown = await asyncio.to_thread(flatline, "summary", "show", **variables)
        assert shown.stdout.splitlines()[0] == headline(summary)
        assert summary.came_true in shown.stdout
        assert all(line.isprintable() for line in shown.stdout.splitlines())
        unsent = await asyncio.to_thread(flatline, "summary", "send", **variables)
        assert "Nothing was sent: add --yes." in unsent.stdout
        assert slack.messages == []
        sent = await asyncio.to_thread(flatline, "summary", "send", "--yes", **variables)
        assert (sent.returncode, sent.stdout) == (0, "Sent.\n")
        assert headline(summary) in plain_text(slack.messages[0])
        refused = await client.get("/api/v1/weekly-summary", params={"time_zone": "Nowhere/Here"})
        assert refused.status == 400
        DESCRIBED.check("/api/v1/weekly-summary", 400, await refused.json())
    made.close()
    assert slack.violations == []
