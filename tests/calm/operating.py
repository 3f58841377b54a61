"""What operators do to processes and to Prometheus' configuration."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import yaml

from flatline.local import probes
from flatline.local.stack import LocalStack
from tests.calm.servers import ask, pid_at
from tests.local.observing import is_alive
from tests.waiting import until


class Operator:
    """Restarts what runs in a stack, which starts again by itself whatever ends."""

    def __init__(self, stack: LocalStack) -> None:
        self.addresses = stack.addresses
        self._prometheus_yml = stack.settings.data_dir / "prometheus" / "prometheus.yml"

    def restart(self, name: str, how: signal.Signals) -> None:
        """End a process, and return when it serves again."""
        address = self.addresses[name]
        former = pid_at(address)
        os.kill(former, how)
        until(f"{name} has ended", lambda: not is_alive(former))
        path = "/readyz" if name.startswith("worker") else "/-/ready"
        until(f"{name} is back", lambda: probes.answers_ok(address, path))

    def hang(self, name: str, for_s: float) -> None:
        """Let a process do nothing for a while, and then end without warning."""
        os.kill(pid_at(self.addresses[name]), signal.SIGSTOP)
        time.sleep(for_s)
        self.restart(name, signal.SIGKILL)

    def wait_scraped(self, *workers: str) -> None:
        """Wait until Prometheus has found these workers, and knows no others."""
        until("all workers are scraped", lambda: _scraped(self.addresses["prometheus"]) == set(workers))

    @contextmanager
    def without_scrapes(self) -> Iterator[None]:
        """Have Prometheus scrape no worker and no ingest meanwhile, and the same ones as before afterwards."""
        former, workers = self._prometheus_yml.read_text(), _scraped(self.addresses["prometheus"])
        configuration = yaml.safe_load(former)
        jobs = [job for job in configuration["scrape_configs"] if job["job_name"] != "flatline"]
        self._configure(yaml.safe_dump({**configuration, "scrape_configs": jobs}))
        self.wait_scraped()
        yield
        self._configure(former)
        self.wait_scraped(*workers)

    def _configure(self, configuration: str) -> None:
        self._prometheus_yml.write_text(configuration)
        os.kill(pid_at(self.addresses["prometheus"]), signal.SIGHUP)


def _scraped(prometheus: str) -> set[str]:
    targets = ask(prometheus, "/api/v1/targets")["data"]["activeTargets"]
    workers = [target for target in targets if target["labels"]["job"] == "flatline-worker"]
    return {target["labels"]["instance"] for target in workers if target["health"] != "unknown"}
