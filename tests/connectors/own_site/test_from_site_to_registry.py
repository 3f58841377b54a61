"""The connector and a real Kafka: from a site to registered articles, and to the former address of one that moved."""

import json
from typing import Any

from flatline.kafka.cluster import KafkaCluster
from flatline.readmodel.registered_articles import registered_articles
from flatline.schema.topics import Topics
from tests.cli.in_process import flatline
from tests.connectors.own_site.site import Site
from tests.integration.reading import read_all


def test_from_a_site_to_registered_articles(
    kafka_bootstrap: str, topics: Topics, environment: dict[str, str], site: Site
) -> None:
    """A run registers what is listed. The next one sends what is new, and the new address of what has moved."""
    environment |= {"FLATLINE_FETCH_NETWORKS": "127.0.0.0/8", "FLATLINE_FETCH_CONTACT": "us@yours.example"}
    site.lists("a", "old", "removed")

    def run(*more: str) -> list[dict[str, Any]]:
        before = read_all(kafka_bootstrap, topics.articles)
        done = flatline("connect", "once", "own-site", "--set", f"sites={site.url}", *more, **environment)
        assert done.returncode == 0, done.stderr
        new = [each for each in read_all(kafka_bootstrap, topics.articles) if each not in before]
        return sorted((json.loads(each.value or b"") for each in new), key=lambda record: (record["url"], len(record)))

    assert run("--dry-run") == []
    assert run() == [{"url": f"{site.url}/{name}"} for name in ("a", "old", "removed")]
    assert flatline("articles", "remove", f"{site.url}/removed", "--yes", **environment).returncode == 0
    site.lists("a", "new", "removed")
    site.pages |= {"/old": b"/new", "/new": b"page"}
    assert run() == [{"url": f"{site.url}/new"}, {"url": f"{site.url}/new", "aliases": [f"{site.url}/old"]}]
    registered = registered_articles(KafkaCluster(kafka_bootstrap), topics)
    assert {record.url for record in registered.records.values()} >= {f"{site.url}/a", f"{site.url}/new"}
    assert len(registered.removed) == 1
    assert {agent.partition(" ")[2] for agent in site.agents} == {"(+us@yours.example)"}
