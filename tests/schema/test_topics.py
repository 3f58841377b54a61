"""Topics as data."""

import pytest

from streams.schema.topics import Topics


def test_what_one_worker_needs_lies_together() -> None:
    """links, articles, visits, verdicts and the changelog have the same number of partitions: one worker holds all."""
    topics = Topics(partitions=6)
    together = (topics.links, topics.articles, topics.visits, topics.verdicts, topics.changelog)
    assert {topic.partitions for topic in together} == {6}


def test_namespaces_do_not_meet() -> None:
    """Two installations on one cluster share no topic."""
    names = [{topic.name for topic in Topics(namespace=namespace).all()} for namespace in ("a", "b")]
    assert names[0].isdisjoint(names[1])


@pytest.mark.parametrize("name", ["articles", "heartbeats", "verdicts", "changelog"])
def test_what_is_read_back_in_full_is_compacted(name: str) -> None:
    """A topic whose newest record a key must outlive any retention is compacted, and has no retention."""
    topic = getattr(Topics(), name)
    assert topic.config() == {"cleanup.policy": "compact", "max.message.bytes": "1048588"}
