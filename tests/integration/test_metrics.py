"""What workers expose of what they own."""

import re
from pathlib import Path

from tests.integration.running import Installation
from tests.waiting import until

ARTICLES = 40


def _values(exposition: str, metric: str, label: str) -> set[str]:
    return {
        re.search(rf'\b{label}="([^"]*)"', labels)[1]  # type: ignore[index]
        for labels in re.findall(rf"(?m)^{metric}\{{(.*)\}} ", exposition)
    }


def test_series_of_partitions_that_were_given_away_disappear(
    kafka_bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    """Two workers share what one had: each article and each partition is shown by exactly one of them."""
    articles = {f"yours.example/{number}" for number in range(ARTICLES)}
    lines = "".join(
        f'{{"url_from": "https://elsewhere.example/{n}", "url_to": "https://{article}"}}\n'
        for n, article in enumerate(articles)
    )
    with Installation(kafka_bootstrap, namespace, tmp_path) as running:
        records = "".join(f'{{"url": "https://{article}"}}\n' for article in articles)
        running.run("articles", "import", "-", stdin=records.encode())
        running.run("links", "import", "-", stdin=lines.encode())
        running.start(1)
        running.wait_ready(1)
        running.articles()

        def shown(number: int, metric: str, label: str) -> set[str]:
            return _values(running.get(number, "/metrics")[1], metric, label)

        until("all are watched", lambda: shown(1, "flatline_watched_article_state", "article") == articles)
        running.start(2)
        running.wait_ready(2)

        def is_shared(metric: str, label: str, whole: set[str]) -> bool:
            first, second = shown(1, metric, label), shown(2, metric, label)
            return bool(first and second) and not first & second and first | second == whole

        until("articles are shared", lambda: is_shared("flatline_watched_article_state", "article", articles))
        partitions = {str(number) for number in range(4)}
        until("partitions are shared", lambda: is_shared("flatline_consumer_lag_records", "partition", partitions))
        running.kill(2)
        until("the other one shows all again", lambda: shown(1, "flatline_watched_article_info", "article") == articles)
