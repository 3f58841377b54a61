"""The store behind Faust's table: from where a partition's changelog is to be read."""

import faust
import pytest
from faust.types import TP

from streams.engine.partition import Partition
from streams.engine.store import ArticleStore, ArticleTable


@pytest.fixture
def store() -> ArticleStore:
    """Return the store of a table in an app that is never started."""
    app = faust.App("unstarted", store="memory://", Table=ArticleTable)
    store = app.Table("articles", partitions=4).data
    assert isinstance(store, ArticleStore)
    return store


def test_an_unknown_partition_is_read_from_its_beginning(store: ArticleStore) -> None:
    """Not None, at which Faust would go on from where an earlier recovery of that partition ended."""
    assert store.persisted_offset(TP("changelog", 0)) == -1


def test_a_partition_that_may_differ_from_its_changelog_is_read_from_its_beginning(store: ArticleStore) -> None:
    """So is one of which nobody knows what of it was written."""
    store.partitions[0] = Partition()
    assert store.persisted_offset(TP("changelog", 0)) == -1


def test_a_kept_partition_is_read_from_where_it_is_known(store: ArticleStore) -> None:
    """Over a rebalance only what came after is read."""
    store.partitions[0] = Partition()
    store.partitions[0].changelog_offset = 41
    assert store.persisted_offset(TP("changelog", 0)) == 41


async def test_a_rebalance_takes_ownership_back(store: ArticleStore) -> None:
    """From a rebalance to the end of its recovery nothing is owned; what is kept is what is known."""
    lost = []
    store.on_lost = lambda: lost.append(True)
    topic = store.table.changelog_topic.get_topic_name()
    for number, offset in ((0, 41), (1, None), (2, 7)):
        store.partitions[number] = Partition()
        store.partitions[number].changelog_offset = offset
    store.recovered = frozenset({0, 1, 2})
    await store.on_rebalance({TP(topic, 0), TP(topic, 1)}, {TP(topic, 2)}, set())
    assert lost == [True]
    assert store.recovered == frozenset()
    assert store.partitions.keys() == {0}
