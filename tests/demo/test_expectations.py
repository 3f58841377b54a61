import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flatline.demo import story
from flatline.demo.expectations import findings
from flatline.demo.slack_inbox import SlackInbox
from flatline.demo.titles import title_of
from flatline.demo.unnotified_alerts import UnnotifiedAlerts
from flatline.local.alertmanager import Alertmanager
from flatline.local.pace import Pace
from flatline.local.ports import Ports
from flatline.local.supervisor import Supervisor
from tests.deploy.talking import alert
from tests.waiting import until

STOPPED = [title_of(*article) for article in story.STOPPED]


class Channel(NamedTuple):
    """A real Alertmanager with the project's configuration, and the inbox that its messages reach."""

    address: str
    inbox: SlackInbox

    def tell(self, *told: dict[str, Any]) -> None:
        """Send alerts as Prometheus does, and wait until Slack has heard of them."""
        before = len(self.inbox.messages)
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts", json.dumps(told).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request).close()
        until("Slack has heard of it", lambda: len(self.inbox.messages) > before)

    def unfulfilled(self) -> list[str]:
        """Return what is missing, in words."""
        found = findings(self.inbox.messages, self.inbox.violations)
        return [finding.words for finding in found if not finding.is_fine]


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    """Return one on which nothing was said yet."""
    with SlackInbox() as inbox, Supervisor(tmp_path / "logs", say=print) as supervisor:
        webhook = tmp_path / "webhook"
        webhook.write_text(inbox.url)
        alertmanager = Alertmanager(tmp_path / "alertmanager", Ports(tmp_path / "ports.json"))
        supervisor.start(alertmanager.process(slack_webhook_url_file=webhook, pace=Pace(86_400)))
        yield Channel(alertmanager.address, inbox)


def test_the_story_is_recognised(channel: Channel) -> None:
    """Each part counts when its last message has come, however Alertmanager groups them; a surprise is named."""
    assert len(channel.unfulfilled()) == 4
    stale = {"name": "SourceStale", "subject": story.DEAD_CRAWLER, "source": story.DEAD_CRAWLER}
    channel.tell(alert(**stale))
    channel.tell(alert("ArticleRevived", title_of(*story.REVIVED), article="r", series="Q&A"))
    first, *others = [
        alert("ArticleSilent", title, article=f"f/{n}", series="Field Notes", tier="1")
        for n, title in enumerate(STOPPED)
    ]
    channel.tell(first)
    assert len(channel.unfulfilled()) == 2
    channel.tell(*others)
    (missing,) = channel.unfulfilled()
    assert "reports again" in missing
    channel.tell(alert(**stale, over=True))
    assert channel.unfulfilled() == []

    channel.tell(alert("ArticleSilent", "Deep dive: <dashboards>", article="d", series="Deep Dives", tier="2"))
    (surprise,) = channel.unfulfilled()
    assert "articlesilent: Deep dive: <dashboards>" in surprise


def test_what_waits_for_the_digest_is_no_surprise(channel: Channel) -> None:
    """What is doubtful, or of little importance, belongs to no story."""
    before = channel.unfulfilled()
    channel.tell(alert("ArticleCooling", "A doubtful one", article="a", tier="1"))
    assert channel.unfulfilled() == before


def test_inbox_shows_each_message_once(channel: Channel) -> None:
    """What has come since the last look is all that a look shows."""
    assert channel.inbox.arrivals() == []
    channel.tell(alert("WorkerDown", "127.0.0.1:1"))
    assert len(channel.inbox.arrivals()) == 1
    assert channel.inbox.arrivals() == []


def test_the_clock_waits_for_what_is_still_to_be_told(channel: Channel) -> None:
    """An alert that fires has to reach Slack, unless it goes to nobody or into the digest, or another speaks for it."""
    unnotified = UnnotifiedAlerts(channel.address, list)
    heard = UnnotifiedAlerts(channel.address, lambda: channel.inbox.messages)
    assert not unnotified.are_left()
    channel.tell(alert("WorkerDown", "w1", instance="w1"))
    assert unnotified.are_left()
    assert not heard.are_left()
    channel.tell(alert("ArticleSilent", "T", article="a", tier="1"))
    assert not heard.are_left()
    channel.tell(alert("ArticleCooling", "A doubtful one", article="b", tier="1"))
    channel.tell(
        alert("WorkerDown", "w1", instance="w1", over=True),
        alert("ArticleSilent", "T", article="a", over=True, tier="1"),
    )
    assert not unnotified.are_left()
