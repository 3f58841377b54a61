"""Topics as data."""

import pytest

from flatline.schema.topics import Topics


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
    config = getattr(Topics(retention_days=3), name).config()
    assert config["cleanup.policy"] == "compact"
    assert not [setting for setting in config if setting.startswith("retention")]


@pytest.mark.parametrize(("days", "retention_ms"), [(None, "-1"), (30, "2592000000")])
def test_the_record_is_kept_for_ever_unless_told_otherwise(days: int | None, retention_ms: str) -> None:
    """Neither an age nor a size deletes links and visits where none was asked for."""
    topics = Topics(retention_days=days)
    for config in (topics.links.config(), topics.visits.config()):
        assert (config["retention.ms"], config["retention.bytes"]) == (retention_ms, "-1")
        assert config["compression.type"] == "zstd"


@pytest.mark.parametrize(("copies", "in_sync"), [(1, "1"), (2, "2"), (3, "2"), (5, "2")])
def test_what_is_acknowledged_has_a_second_copy(copies: int, in_sync: str) -> None:
    """Where there are copies at all, the leader alone acknowledges nothing, in any topic."""
    for topic in Topics(replication_factor=copies).all():
        assert topic.replication_factor == copies
        assert topic.config()["min.insync.replicas"] == in_sync
        assert topic.config()["unclean.leader.election.enable"] == "false"
