"""An import without a label on a real Kafka, spread over partitions of two workers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.running import Installation
from tests.waiting import until

ARTICLES = [f"https://yours.example/{number}" for number in range(12)]


def test_links_are_taken_back_when_the_rest_of_an_import_comes(
    kafka_bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    """Forty links are forty new links; with twelve more they are an import, also for workers that start later."""
    moment = datetime.now(UTC).replace(hour=1, minute=2, second=3, microsecond=0) - timedelta(days=2)
    said = {"occurred_at": f"{moment:%FT%TZ}", "source": "git:x"}
    lines = [
        json.dumps({"url_from": f"https://page{number}.example/", "url_to": url, **said}).encode()
        for url in ARTICLES
        for number in range(10)
    ]
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:

        def links() -> tuple[int, int]:
            running.articles()  # waits until the workers have caught up
            said = json.loads(running.run("explain", ARTICLES[0], "--json"))["said"]
            return said["gained_total"], said["gained_in_days"]["28"]

        running.start(1)
        running.start(2)
        running.wait_ready(1, 2)
        running.run("links", "import", "-", stdin=b"\n".join(lines[:40]))
        assert links() == (10, 10)
        running.run("links", "import", "-", stdin=b"\n".join(lines[40:52]))
        until("the import is recognised", lambda: links() == (10, 0))
        metrics = [running.get(number, "/metrics")[1] for number in (1, 2)]
        recognised = ["flatline_imports_recognised_total 1.0" in each for each in metrics]
        assert sorted(recognised) == [False, True]

        running.restart()
        running.run("links", "import", "-", stdin=lines[60])
        assert links() == (10, 0)
        found = json.loads(running.run("explain", ARTICLES[0], "--json"))
        assert found["recognised_imports"] == [{"source": "git:x", "occurred_at": f"{moment:%FT%TZ}", "links": 10}]
        assert not any(each["is_sign_of_life"] for each in found["links"])
        assert "came with an import that has no label: git:x reported at least 50 links" in " ".join(
            running.run("explain", ARTICLES[0]).split()
        )
