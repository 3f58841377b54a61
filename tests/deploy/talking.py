"""A real Alertmanager with the project's configuration, told alerts as Prometheus does, and what Slack hears."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from flatline.demo.slack_receiver import SlackReceiver
from flatline.local.alertmanager import DIGEST_MS, Alertmanager
from flatline.local.pace import Pace
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor
from tests.deploy.alert_rules import alerts
from tests.waiting import PATIENCE_S

RUNBOOK = "http://page.example/runbook"
GRAFANA = "https://grafana.example/d"
# Groups wait for a second at this pace.
FAST = Pace(86_400)
DIGEST_WAIT = "3s"


class Talk:
    """What is said to Alertmanager at ``address``, and what comes of it."""

    def __init__(self, address: str, receiver: SlackReceiver) -> None:
        self.address = address
        self.receiver = receiver
        self._arrivals = receiver.arrivals()

    async def tell(self, *told: dict[str, Any]) -> None:
        """Send alerts as Prometheus does."""
        async with aiohttp.ClientSession() as client:
            answer = await client.post(f"http://{self.address}/api/v2/alerts", json=told)
            assert answer.status == 200, await answer.text()

    async def received(self, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """Return the attachment of Slack's next message, which is in order. Raise TimeoutError when none comes."""
        arrival = asyncio.ensure_future(anext(self._arrivals))
        done, _ = await asyncio.wait([arrival], timeout=within_s)
        assert self.receiver.violations == []
        if not done:
            arrival.cancel()
            self._arrivals = self.receiver.arrivals(after=len(self.receiver.messages))
            raise TimeoutError
        (attachment,) = arrival.result().payload["attachments"]
        assert isinstance(attachment, dict)
        return attachment


@asynccontextmanager
async def talking(
    folder: Path, *, pace: Pace = FAST, change: Callable[[dict[str, Any]], None] = lambda _: None
) -> AsyncIterator[Talk]:
    """Run it with the project's configuration as a launch at this pace completes it, and then changed."""
    async with SlackReceiver() as receiver:
        webhook = folder / "webhook"
        webhook.write_text(receiver.url)
        alertmanager = Alertmanager(folder / "alertmanager", Ports(folder / "ports.json"))
        process = alertmanager.process(slack_webhook_url_file=webhook, pace=pace)
        file = folder / "alertmanager" / "alertmanager.yml"
        configuration = yaml.safe_load(file.read_text())
        _hurry_digests(configuration["route"])
        change(configuration)
        file.write_text(yaml.safe_dump(configuration))
        with Supervisor(folder / "logs", say=print) as supervisor:
            supervisor.start(process)
            yield Talk(alertmanager.address, receiver)


def _hurry_digests(route: dict[str, Any]) -> None:
    """Have digests wait for no longer than it takes to tell all that one is to hold."""
    route.update({name: DIGEST_WAIT for name, wait in route.items() if wait == f"{DIGEST_MS}ms"})
    for child in route.get("routes", []):
        _hurry_digests(child)


def alert(name: str, subject: str, *, over: bool = False, began_days_ago: float = 0, **labels: str) -> dict[str, Any]:
    """Return an alert with its rule's labels and fixed words, and these words of its own, firing or over since now."""
    rule, now = alerts()[name], datetime.now(UTC)
    of_article = {"page_url": f"https://{labels['article']}", "since": "2026-05-12"} if "article" in labels else {}
    return {
        "labels": {"alertname": name, **rule["labels"], **labels},
        "annotations": {
            **{word: rule["annotations"][word] for word in ("summary", "resolved") if word in rule["annotations"]},
            "subject": subject,
            "description": "No link for 62 days.",
            "runbook_url": f"{RUNBOOK}#{name.lower()}",
            "dashboard_url": f"{GRAFANA}/flatline-article?var-article={labels.get('article', '')}",
            **of_article,
        },
        **({"startsAt": (now - timedelta(days=began_days_ago)).isoformat()} if began_days_ago else {}),
        **({"endsAt": now.isoformat()} if over else {}),
    }
