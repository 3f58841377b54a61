"""`flatline explain` on a real Kafka: what a worker keeps of an article, put together again by a reader."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.running import FLATLINE, Installation

ARTICLE = "https://yours.example/article"
LINKS = 300  # more than one segment holds


def _link(number: int, today: datetime) -> bytes:
    return json.dumps(
        {
            "url_from": f"https://site{number}.example/post",
            "url_to": ARTICLE,
            "anchor": f"link {number}",
            "occurred_at": (today - timedelta(days=3 + number)).isoformat(),
            "source": "feeds",
        }
    ).encode()


def test_an_article_is_explained_as_the_worker_knows_it(kafka_bootstrap: str, namespace: str, tmp_path: Path) -> None:
    """Links of all segments, visits, the source's heartbeat and the published verdict are read by key alone."""
    today = datetime.now(UTC)
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        running.run("articles", "add", ARTICLE, "--title", "The [red]article", "--series", "Notes", "--tier", "1")
        running.run("links", "import", "-", stdin=b"\n".join(_link(number, today) for number in range(LINKS)))
        visits = {"url": ARTICLE, "domain": "site7.example", "day": f"{today:%Y-%m-%d}", "visits": 5}
        running.run("visits", "import", "-", stdin=json.dumps(visits).encode())
        running.start(1)
        running.wait_ready(1)
        row = running.articles()[ARTICLE]

        found = json.loads(running.run("explain", "http://www.yours.example/article/?utm_source=x", "--json"))
        assert found["said"]["state"] == found["verdict"]["state"] == row["state"]
        assert found["said"]["reason"] == found["verdict"]["reason"] == row["reason"]
        assert found["verdict"]["gained_total"] == row["gained_total"] == LINKS
        assert found["verdict"]["impact"]["visits_total"] == 5
        assert found["policy"]["silent_score"] == 0.6
        assert {each["kind"]: each["name"] for each in found["groups"]}["series"] == "Notes"
        assert [each["source"] for each in found["sources"]] == ["feeds"]
        assert [each["url"] for each in found["links"]] == [f"https://site{n}.example/post" for n in range(10)]
        assert found["links"][7]["anchor"] == "link 7"
        assert "with visits" in found["links"][7]["why"]

        shown = running.run("explain", ARTICLE)
        assert "The [red]article" in shown
        assert str(row["state"]).upper() in shown

        unknown = subprocess.run(
            [FLATLINE, "explain", f"{ARTICLE}s"], env=running.environment, capture_output=True, text=True, check=False
        )
        assert unknown.returncode == 1
        assert f"Similar articles are:\n  {ARTICLE}\n" in unknown.stderr
