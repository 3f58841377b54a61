"""A real API on a real Kafka, killed while it reads, against the log counted in another way, and against the worker."""

import json
import random
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from psycopg import sql

from flatline.local.ports import Ports
from flatline.schema.topics import Topics
from tests.chaos.scale import pick
from tests.integration.reading import read_all
from tests.integration.running import FLATLINE, Installation
from tests.postgres import Postgres
from tests.readmodel.places import InPostgres, Place
from tests.waiting import until

pytestmark = pytest.mark.servers

KILLS: Final = pick(short=3, full=20)
LINKS: Final = 6_000
ARTICLES: Final = 40
Counts = tuple[int, int, int]  # gained, lost, live


class Serving:
    """`flatline serve` as a process that can be killed."""

    def __init__(self, running: Installation, folder: Path, *, url: str | None = None) -> None:
        self._environment = {
            **running.environment,
            "FLATLINE_DATA_DIR": str(folder),
            "FLATLINE_SERVE_PORT": str(Ports(folder / "ports.json").claim("serve")),
            **({} if url is None else {"FLATLINE_READMODEL_URL": url}),
        }
        self.folder = folder / "readmodel"
        self.address = f"http://127.0.0.1:{self._environment['FLATLINE_SERVE_PORT']}"

    @contextmanager
    def running(self, end: signal.Signals) -> Iterator[None]:
        """Run it for the block, and end it by a signal."""
        with subprocess.Popen([FLATLINE, "serve"], env=self._environment, stdout=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.send_signal(end)
                process.wait()

    def get(self, path: str) -> Any:
        """Return what it answers; None where it does not, or not with 200."""
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=10) as answer:
                body = answer.read()
                return json.loads(body) if answer.headers["Content-Type"] == "application/json" else body.decode()
        except (urllib.error.HTTPError, OSError):
            return None

    def records(self) -> float:
        """Return how many records it has applied since it was started."""
        said = self.get("/metrics") or ""
        return float(next((x.split()[1] for x in said.splitlines() if x.startswith("flatline_serve_records_total")), 0))

    def answers(self) -> bool:
        """Whether it answers at all."""
        return self.get("/metrics") is not None

    def has_applied(self, records_min: int) -> bool:
        """Whether it has applied so many records since it was started."""
        return self.records() >= records_min

    def holds_all(self) -> bool:
        """Whether no record waits."""
        return "flatline_serve_waiting_records 0.0" in (self.get("/metrics") or "") and bool(self.get("/readyz"))

    def counts(self) -> dict[str, Counts]:
        """Return what it says of each article."""
        rows = self.get("/api/v1/articles?limit=500")["rows"]
        return {row["article"]: (row["gained_total"], row["lost_total"], row["live"]) for row in rows}


def _events(rng: random.Random) -> bytes:
    lines = []
    for number in range(LINKS):
        event = {
            "url_from": f"https://site{rng.randrange(300)}.example/{rng.randrange(3)}",
            "url_to": f"https://yours.example/{rng.randrange(ARTICLES)}",
            "change": rng.choice(["gained", "gained", "gained", "lost"]),
            "occurred_at": f"2026-0{rng.randrange(1, 7)}-{rng.randrange(10, 29)}T00:00:{number % 60:02}Z",
        }
        lines.append(json.dumps(event).encode())
    return b"\n".join(lines)


def _counted(bootstrap: str, topics: Topics) -> dict[str, Counts]:
    """Count distinct links from the records of the log."""
    changes: dict[tuple[str, str], list[tuple[str, bool]]] = {}
    for record in read_all(bootstrap, topics.links):
        event = json.loads(record.value or b"")
        link = changes.setdefault((event["url_to"], event["url_from"]), [])
        link.append((event["occurred_at"], event.get("change", "gained") == "gained"))
    counts: dict[str, Counts] = {}
    for (article, _), said in changes.items():
        if any(is_gain for _, is_gain in said):
            gained, lost, live = counts.get(article, (0, 0, 0))
            is_lost = not all(is_gain for _, is_gain in said)
            counts[article] = (gained + 1, lost + is_lost, live + max(said)[1])
    return counts


def test_killed_it_ends_with_what_the_log_says(
    kafka_bootstrap: str, namespace: str, tmp_path: Path, place: Place
) -> None:
    """Killed while it reads, and with its tables deleted, its counts are those of the log and of the worker."""
    rng, topics = random.Random(7), Topics(namespace=namespace, partitions=4)
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        url = place.server.url(place.database) if isinstance(place, InPostgres) else None
        serving = Serving(running, tmp_path, url=url)
        running.start(1)
        for _ in range(KILLS):
            running.run("links", "import", "-", stdin=_events(rng))
            applied_min = rng.choice([0, 1, LINKS // 2])
            with serving.running(signal.SIGKILL):
                until("it answers", serving.answers)
                until("so many records are applied", partial(serving.has_applied, applied_min))
        counted = _counted(kafka_bootstrap, topics)
        with serving.running(signal.SIGTERM):
            until("all records are read", serving.holds_all)
            assert serving.counts() == counted
        judged = running.articles()
        said = {key: (row["gained_total"], row["lost_total"], row["live"]) for key, row in judged.items()}
        assert said == counted
        _delete(serving, place, namespace)
        with serving.running(signal.SIGTERM):
            until("all is read anew", serving.holds_all)
            assert serving.counts() == counted
            until("verdicts are there", lambda: serving.get("/api/v1/summary")["states"].get("not_judged", 0) == 0)
            first_records = serving.records()
            _delete(serving, place, namespace)  # while it runs
            until("it is read anew", lambda: serving.records() > first_records and serving.holds_all())
            assert serving.counts() == counted


def _delete(serving: Serving, place: Place, namespace: str) -> None:
    """Delete the read model, as an operator would."""
    if isinstance(place, InPostgres):
        with psycopg.connect(place.server.url(place.database), autocommit=True) as connection:
            for (name,) in connection.execute("SELECT nspname FROM pg_namespace").fetchall():
                if name.startswith(f"{namespace}_"):
                    connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))
    else:
        for path in serving.folder.iterdir():
            path.unlink()


def test_of_two_one_writes_and_the_other_takes_over(
    kafka_bootstrap: str, namespace: str, tmp_path: Path, postgres: Postgres
) -> None:
    """Both answer the same from one database; when the writer is killed, the other one goes on, without a gap."""
    rng, topics = random.Random(8), Topics(namespace=namespace, partitions=4)
    url = postgres.url(postgres.new_database())
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        running.start(1)
        writer, reader = (Serving(running, tmp_path / name, url=url) for name in "ab")
        running.run("links", "import", "-", stdin=_events(rng))
        with ExitStack() as ends:
            with writer.running(signal.SIGKILL):
                until("it writes", lambda: writer.records() > 0)
                ends.enter_context(reader.running(signal.SIGTERM))
                for each in (writer, reader):
                    until("all records are read", each.holds_all)
                assert writer.counts() == reader.counts() == _counted(kafka_bootstrap, topics)
                assert reader.records() == 0
            running.run("links", "import", "-", stdin=_events(rng))
            counted = _counted(kafka_bootstrap, topics)
            # How many records wait is measured now and then: what was imported just now may not be counted yet.
            until("the other one has read all", lambda: reader.counts() == counted)
            assert reader.records() > 0
