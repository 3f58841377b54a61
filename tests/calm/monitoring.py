"""A Prometheus with production's rules that looks every second, an Alertmanager, and what they remember."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.request import Request, urlopen

import yaml

from flatline.local.alertmanager import Alertmanager
from flatline.local.pace import Pace
from flatline.local.ports import Ports
from flatline.local.prometheus import Prometheus
from flatline.local.supervisor import Supervisor
from tests.calm.backfill import Exposition, line, store_recordings, store_scrapes
from tests.calm.servers import ask

_LASTED_S: Final = 75 * 60
_JSON: Final = {"Content-Type": "application/json"}
# The first scrape comes some five seconds after the start. As in production it has to come before the second
# evaluation, at which Prometheus remembers since when alerts have been there.
EVALUATION_S: Final = 8
_QUICK: Final = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": f"{EVALUATION_S}s"}

Alert = dict[str, Any]


class Monitoring:
    """Alertmanager, from `with` to the end of its body, and Prometheus whenever it is wanted.

    The Prometheus' rules are at the wall clock's pace; Alertmanager waits for nothing.
    """

    def __init__(self, folder: Path, *, worker: str, ingest: str, webhook: str) -> None:
        """``worker`` and ``ingest`` are host:port to be scraped, ``webhook`` is a URL."""
        self._folder = folder / "prometheus"
        self._logs = folder / "logs"
        self._targets = {"flatline-worker": [worker], "flatline-ingest": [ingest], "prometheus": [], "alertmanager": []}
        ports = Ports(folder / "ports.json")
        self._prometheus = Prometheus(self._folder, ports)
        webhook_file = folder / "webhook"
        webhook_file.write_text(webhook)
        server = Alertmanager(folder / "alertmanager", ports)
        self.alertmanager = server.address
        self._alertmanager = server.process(slack_webhook_url_file=webhook_file, pace=Pace(86_400))
        self._supervisor = Supervisor(self._logs, say=print)

    def __enter__(self) -> Self:
        try:
            self._supervisor.start(self._alertmanager)
        except BaseException:
            self._supervisor.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._supervisor.stop()

    def backfill(
        self, worker: Exposition, ingest: Exposition, *, ended_s_ago: int, fired: Sequence[Alert] = ()
    ) -> None:
        """Have Prometheus remember nothing but a while in which it scraped, recorded, and had these alerts firing."""
        self._folder.mkdir(exist_ok=True)
        tsdb = self._folder / "tsdb"
        shutil.rmtree(tsdb, ignore_errors=True)
        until_s = int(time.time()) - ended_s_ago
        from_s = until_s - _LASTED_S
        expositions = {"flatline-worker": worker, "flatline-ingest": ingest}
        targets = {(job, self._targets[job][0]): exposition for job, exposition in expositions.items()}
        since = [
            line("ALERTS_FOR_STATE", alert["labels"], from_s, at_s=at_s)
            for alert in fired
            for at_s in range(from_s, until_s, 60)
        ]
        store_scrapes(tsdb, targets, from_s=from_s, until_s=until_s, also=since)
        with self._running(rule_files=[], scrape_configs=[]):
            rules = self._folder / "rules"
            store_recordings(tsdb, self._prometheus.address, rules, from_s=from_s, until_s=until_s)

    def tell(self, alerts: Sequence[Alert]) -> None:
        """Tell Alertmanager of alerts as a Prometheus does that goes on to be there."""
        started, ends = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (-180, 4))
        told = [
            {name: alert[name] for name in ("labels", "annotations")}
            | {"startsAt": started.isoformat(), "endsAt": ends.isoformat()}
            for alert in alerts
        ]
        request = Request(f"http://{self.alertmanager}/api/v2/alerts", json.dumps(told).encode(), _JSON)
        urlopen(request, timeout=5).close()

    @contextmanager
    def prometheus(self) -> Iterator[Callable[[], list[Alert]]]:
        """Run it, and yield what returns its alerts."""
        with self._running():
            yield lambda: ask(self._prometheus.address, "/api/v1/alerts")["data"]["alerts"]

    @contextmanager
    def _running(self, **instead: object) -> Iterator[None]:
        process = self._prometheus.process(targets=self._targets, alertmanager=self.alertmanager, pace=Pace())
        file = self._folder / "prometheus.yml"
        configuration = yaml.safe_load(file.read_text())
        configuration["global"] |= _QUICK
        file.write_text(yaml.safe_dump(configuration | instead))
        with Supervisor(self._logs, say=print) as supervisor:
            supervisor.start(process)
            yield
