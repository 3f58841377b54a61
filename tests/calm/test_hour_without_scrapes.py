"""A real Prometheus, with the rules as they are in production, is back after an hour in which it scraped nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flatline.demo.slack_inbox import SlackInbox
from tests.calm import troubles
from tests.calm.backfill import Exposition
from tests.calm.monitoring import EVALUATION_S, Monitoring
from tests.calm.servers import Subject, subject_of
from tests.calm.target import target
from tests.deploy.alert_rules import alerts
from tests.waiting import until

pytestmark = pytest.mark.servers

# An hour, and the minutes that it takes to come back.
GAP_S = 65 * 60
# At least. Two evaluations pass before it remembers since when alerts have been there, and one more before they fire.
BACK_S = 3.5 * EVALUATION_S
# So many seconds without a message: longer than Alertmanager waits for anything, at its pace.
QUIET_S = 5.0
# Before the first scrape, and for two minutes after it, these may wait to be sure.
AT_THE_START = {Subject("WorkerDown"), Subject("IngestDown"), Subject("PushUnavailable")}
# Prometheus, Alertmanager, node_exporter, connectors and the page are no targets here.
NO_TARGETS = {
    "ConfigurationRejected",
    "ConnectDown",
    "ConnectorFailing",
    "ConnectorOutOfBudget",
    "DiskFilling",
    "NotificationsFailing",
    "PublisherTurnedNofollow",
    "RulesFailing",
    "ServeBehind",
    "ServeDown",
    "ServeRebuilding",
}
# Nothing ended.
ENDS = {"ArticleAlertEnded", "GroupAlertEnded"}
# Prometheus remembers over its end since when alerts have been there, but not of those that wait for less than ten
# minutes, nor of what it takes several scrapes to see: these have to wait again.
MAY_WAIT_AGAIN = {
    "CommitsFailing",
    "ConsumerLagGrowing",
    "IngestErrors",
    "PushUnavailable",
    "WorkInterrupted",
}


@contextmanager
def monitoring(folder: Path, worker: Exposition, ingest: Exposition) -> Iterator[tuple[Monitoring, SlackInbox]]:
    """Run what can be scraped, and what is behind a Prometheus."""
    with (
        target(worker) as worker_address,
        target(ingest) as ingest_address,
        SlackInbox() as inbox,
        Monitoring(folder, worker=worker_address, ingest=ingest_address, webhook=inbox.url) as running,
    ):
        yield running, inbox


def test_what_fired_fires_on(tmp_path: Path) -> None:
    """Every alert that there was is there again, and told to nobody; there is no other."""
    worker, ingest = troubles.troubled_worker, troubles.troubled_ingest
    with monitoring(tmp_path, worker, ingest) as (running, inbox):
        running.backfill(worker, ingest, ended_s_ago=0)
        all_names = alerts().keys() - {"WorkerDown", "IngestDown"} - NO_TARGETS - ENDS
        with running.prometheus() as said:
            until("all alerts are there", lambda: {alert["labels"]["alertname"] for alert in said()} == all_names)
            fired = said()
        running.tell(fired)
        until("Slack has heard of them", lambda: is_quiet(inbox))

        running.backfill(worker, ingest, ended_s_ago=GAP_S, fired=fired)
        was = {subject_of(alert["labels"]) for alert in fired}
        with running.prometheus() as said:
            back_at_s = time.monotonic() + BACK_S

            def is_back() -> bool:
                told = said()
                subjects = {subject_of(alert["labels"]) for alert in told}
                assert subjects - AT_THE_START <= was
                waiting = {alert["labels"]["alertname"] for alert in told if alert["state"] == "pending"}
                return time.monotonic() > back_at_s and subjects == was and waiting <= MAY_WAIT_AGAIN

            until("what fired fires on", is_back)
        assert inbox.arrivals() == []


def is_quiet(inbox: SlackInbox) -> bool:
    """Whether Slack has heard something, and now no more comes."""
    inbox.arrivals()
    time.sleep(QUIET_S)
    return bool(inbox.messages) and inbox.arrivals() == []


def test_what_was_well_is_well(tmp_path: Path) -> None:
    """Troubles that were counted long ago are not counted again."""
    worker, ingest = troubles.well_worker, troubles.well_ingest
    with monitoring(tmp_path, worker, ingest) as (running, inbox):
        running.backfill(worker, ingest, ended_s_ago=GAP_S)
        with running.prometheus() as said:
            back_at_s = time.monotonic() + BACK_S

            def is_well() -> bool:
                subjects = {subject_of(alert["labels"]) for alert in said()}
                assert subjects <= AT_THE_START | {Subject("Watchdog")}
                return time.monotonic() > back_at_s and subjects == {Subject("Watchdog")}

            until("all is well", is_well)
        assert inbox.arrivals() == []
